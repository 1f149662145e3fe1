// For a gateway in Node: publishes workload windows, and keeps the allocation in force at hand. Copy it.
// For the broker it needs amqplib.
import { randomUUID } from "node:crypto";

const MAX_BYTES = 262_144;
const MOST_WAITING = 2_000;

/** The platform will never take the window: it is to be set aside, not sent again. */
export class RefusedWindow extends Error {}

export class AllocationClient {
  #channel; #held = new Map(); #waiting = []; #sending = Promise.resolve();

  /** Windows that report() has sent, that were refused, that were given up as too many waited; why sending failed last. */
  sent = 0; refused = 0; givenUp = 0; fault = null;

  /**
   * api: the platform's address. key: one that may read; without a broker it must be one that may ingest, too.
   * broker: amqp://USER:PASSWORD@HOST/ingress, where USER is the tenant; without it windows go over HTTP.
   * onRefused: is given each window that was set aside, and the reason.
   */
  constructor({ api, key, broker, onRefused = logRefused }) {
    Object.assign(this, { api, key, broker, onRefused, tenant: broker && new URL(broker).username });
  }

  /** Windows that wait to be sent. */
  get waiting() { return this.#waiting.length; }

  /**
   * Sends a window after those that wait. What the platform refuses is set aside, and the next is sent; while it is away,
   * windows wait for the next call under the id that they have. Never rejects.
   * A window goes as it is. Its `service` may have `answerTokens`, the sum of output tokens beside the reasoning ones.
   * Servers that batch are learnt better with it. Leave it out unless each query of the sums tells it.
   * Of the same servers `service` may have `concurrency`, `{ tokens, inService }`: output tokens that were looked at, and
   * the sum of the queries that the server had in service when they were made.
   */
  report(window) {
    this.#waiting.push({ window, messageId: randomUUID() });
    for (; this.#waiting.length > MOST_WAITING; this.givenUp++) this.#waiting.shift();
    return this.flush();
  }

  /** Sends what waits, in order. Never rejects. */
  flush() { return (this.#sending = this.#sending.then(() => this.#sendAll())); }

  async #sendAll() {
    for (let next; (next = this.#waiting[0]) !== undefined;) {
      try {
        await this.publish(next.window, next.messageId);
        this.sent++;
      } catch (fault) {
        if (!(fault instanceof RefusedWindow)) { this.fault = fault; return; }
        this.#setAside(next.window, fault);
      }
      // It may have been given up meanwhile.
      if (this.#waiting[0] === next) this.#waiting.shift();
    }
    this.fault = null;
  }

  #setAside(window, reason) {
    this.refused++;
    try { this.onRefused(window, reason); } catch (fault) { console.error(`onRefused failed: ${fault}`); }
  }

  /**
   * Resolves when the platform keeps the window. Rejects with RefusedWindow when it never will; after anything else send
   * again with the same messageId: the window counts once.
   */
  async publish(window, messageId = randomUUID()) {
    const body = bodyOf(window);
    const send = this.broker ? this.#publishToBroker : this.#post;
    return send.call(this, window.fleet, body, messageId);
  }

  async #publishToBroker(fleet, body, messageId) {
    this.#channel ??= this.#connect();
    try {
      const channel = await this.#channel;
      channel.publish("workload-statistics", `${this.tenant}.${fleet}`, body,
        { userId: this.tenant, messageId, contentType: "application/json", persistent: true, mandatory: true });
      await channel.waitForConfirms();
    } catch (fault) { this.#channel = undefined; throw fault; }
  }

  async #connect() {
    const { default: amqp } = await import("amqplib");
    const connection = await amqp.connect(this.broker);
    const channel = await connection.createConfirmChannel();
    // Without a listener an error would end the process; whoever publishes meets a closed channel, and connects again.
    for (const it of [connection, channel]) it.on("error", (fault) => { this.fault = fault; });
    channel.on("close", () => { this.#channel = undefined; connection.close().catch(() => {}); });
    return channel;
  }

  async #post(fleet, body, messageId) {
    const authorization = `Bearer ${this.key}`;
    const headers = { authorization, "content-type": "application/json", "idempotency-key": messageId };
    const url = `${this.api}/v1/fleets/${encodeURIComponent(fleet)}/statistics`;
    const answer = await fetch(url, { method: "POST", headers, body, signal: AbortSignal.timeout(15_000) });
    const problem = await answer.text();
    if (answer.ok) return;
    const reason = `the platform answered ${answer.status}: ${problem}`;
    throw isOfWindow(answer.status) ? new RefusedWindow(reason) : new Error(reason);
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

function logRefused(window, reason) { console.error(`a window was refused and set aside: ${reason.message}`); }

/** Whether an answer refuses the window. 401, 403, 404 refuse the sender, who may be put right; the others pass. */
function isOfWindow(status) { return status < 500 && ![401, 403, 404, 408, 429].includes(status); }

/** The window's JSON; the broker would take anything, and the platform then set it aside unheard. */
function bodyOf(window) {
  let body;
  try {
    body = Buffer.from(JSON.stringify(window));
  } catch (fault) { throw new RefusedWindow(`it cannot be written as JSON: ${fault.message}`); }
  if (typeof window.fleet !== "string") throw new RefusedWindow("it names no fleet");
  if (body.length > MAX_BYTES) throw new RefusedWindow(`it has ${body.length} bytes; at most ${MAX_BYTES} are taken`);
  return body;
}
