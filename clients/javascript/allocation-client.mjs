// For a gateway in Node: publishes workload windows with confirms, and keeps the allocation in force at hand. Copy it; it needs amqplib.
import { randomUUID } from "node:crypto";
import amqp from "amqplib";

export class AllocationClient {
  #channel; #held = new Map();

  /** api: the platform's address; key: one that may read; broker: amqp://USER:PASSWORD@HOST/ingress, where USER is the tenant. */
  constructor({ api, key, broker }) { Object.assign(this, { api, key, broker, tenant: new URL(broker).username }); }

  /** Resolves when the broker keeps the window. If it rejects, send again with the same messageId: the window counts once. */
  async publish(window, messageId = randomUUID()) {
    const connect = async () => (await amqp.connect(this.broker)).createConfirmChannel();
    this.#channel ??= connect();
    try {
      (await this.#channel).publish("workload-statistics", `${this.tenant}.${window.fleet}`, Buffer.from(JSON.stringify(window)),
        { userId: this.tenant, messageId, contentType: "application/json", persistent: true, mandatory: true });
      await (await this.#channel).waitForConfirms();
    } catch (fault) { this.#channel = undefined; throw fault; }
  }

  /** Tokens by task type; the last known while the platform is away. Ask as often as you like, a few seconds apart. */
  async tokens(fleet) {
    const held = this.#held.get(fleet);
    try {
      const headers = { authorization: `Bearer ${this.key}`, ...(held && { "if-none-match": held.etag }) };
      const answer = await fetch(`${this.api}/v1/fleets/${fleet}/allocation`, { headers, signal: AbortSignal.timeout(5000) });
      if (answer.status === 304) return held.tokens;
      if (answer.status !== 200) throw new Error(`the platform answered ${answer.status}`);
      const { sent, solution } = await answer.json();
      const tokens = Object.fromEntries((sent ?? solution).allocation.map((it) => [it.taskType, it.tokens]));
      this.#held.set(fleet, { etag: answer.headers.get("etag"), tokens });
      return tokens;
    } catch (fault) { if (!held) throw fault; return held.tokens; }
  }

  async close() { await (await this.#channel)?.connection.close(); }
}
