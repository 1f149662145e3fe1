// node --test: what the client makes of a platform that refuses, is away, and comes back.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, test } from "node:test";
import { AllocationClient, RefusedWindow } from "./allocation-client.mjs";

const window = { fleet: "chat", windowStart: "2026-11-23T10:00:00Z", windowEnd: "2026-11-23T10:00:10Z", tasks: [] };
let server, client, answers, asked, refused;

beforeEach(async () => {
  [answers, asked, refused] = [[], [], []];
  server = createServer(async (request, response) => {
    asked.push({ url: request.url, id: request.headers["idempotency-key"], body: await text(request) });
    response.writeHead(answers.shift() ?? 202).end("what is wrong");
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const api = `http://127.0.0.1:${server.address().port}`;
  client = new AllocationClient({ api, key: "k", onRefused: (it, reason) => refused.push([it, reason]) });
});

afterEach(() => { server.closeAllConnections(); server.close(); });

for (const status of [400, 409, 413, 422]) {
  test(`a window that is refused with ${status} is set aside, and the next is sent`, async () => {
    answers.push(status);
    await client.report(window);
    await client.report(window);
    assert.deepEqual([client.refused, client.sent, client.waiting, client.fault], [1, 1, 0, null]);
    assert.equal(refused.length, 1);
    assert.ok(refused[0][1] instanceof RefusedWindow);
    assert.match(refused[0][1].message, /what is wrong/);
    assert.equal(new Set(asked.map((it) => it.id)).size, 2);
  });
}

for (const status of [401, 404, 429, 500, 503]) {
  test(`while the platform answers ${status}, windows wait, and keep their ids`, async () => {
    answers.push(status);
    await client.report(window);
    assert.deepEqual([client.refused, client.sent, client.waiting], [0, 0, 1]);
    assert.match(client.fault.message, new RegExp(`${status}`));
    await client.report(window);
    assert.deepEqual([client.sent, client.waiting, client.fault], [2, 0, null]);
    assert.equal(asked[0].id, asked[1].id);
  });
}

test("what cannot be written, or is too large, is set aside unsent", async () => {
  await client.report({ ...window, tasks: [1n] });
  await client.report({ ...window, tasks: ["x".repeat(300_000)] });
  await client.report({ tasks: [] });
  await client.report(window);
  assert.deepEqual([client.refused, client.sent, asked.length], [3, 1, 1]);
});

test("answer tokens go as the window tells them, and are no member where it does not", async () => {
  const service = { completions: 1, tokens: 2, tokensSquared: 4, millis: 3, millisSquared: 9, tokenMillis: 6 };
  for (const answerTokens of [420, 0, undefined]) {
    const task = { taskType: "math", arrivals: 1, service: { ...service, answerTokens } };
    await client.report({ ...window, tasks: [task] });
  }
  const sent = asked.map((it) => JSON.parse(it.body).tasks[0].service);
  assert.deepEqual(sent, [{ ...service, answerTokens: 420 }, { ...service, answerTokens: 0 }, service]);
});

test("a listener that fails stops nothing", async () => {
  client.onRefused = () => { throw new Error("no"); };
  answers.push(400);
  await client.report(window);
  await client.report(window);
  assert.deepEqual([client.refused, client.sent], [1, 1]);
});

test("a platform that is away is one that is away", async () => {
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
  await client.report(window);
  assert.deepEqual([client.refused, client.sent, client.waiting], [0, 0, 1]);
});
