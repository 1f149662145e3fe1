// node example.mjs FLEET: publishes one window twice under one id, as after a lost confirm, and prints the tokens in force.
// API, KEY and BROKER are in the environment.
import { randomUUID } from "node:crypto";
import { AllocationClient } from "./allocation-client.mjs";

const [fleet, end, messageId] = [process.argv[2], Date.now(), randomUUID()];
const client = new AllocationClient({ api: process.env.API, key: process.env.KEY, broker: process.env.BROKER });
// Two queries that ended: 800 and 600 reasoning tokens of 812 granted, 300 and 120 answer tokens, 16.4 s and 12.4 s.
const service = {
  completions: 2, tokens: 1_400, tokensSquared: 1_000_000, tokensGranted: 1_624, answerTokens: 420,
  millis: 28_800, millisSquared: 422_720_000, tokenMillis: 20_560_000,
};
const window = {
  fleet, windowStart: new Date(end - 10_000).toISOString(), windowEnd: new Date(end).toISOString(),
  tasks: [{ taskType: "math", arrivals: 12, service, accuracy: [{ tokens: 512, trials: 10, correct: 7 }] }],
};
await client.publish(window, messageId);
await client.publish(window, messageId);
console.log(JSON.stringify([await client.tokens(fleet), await client.tokens(fleet)]));
await client.close();
