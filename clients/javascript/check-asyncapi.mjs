// Holds an AsyncAPI document against the specification; exit status 1 when it differs.
import { readFile } from "node:fs/promises";
import { Parser } from "@asyncapi/parser";

const errors = (await new Parser().parse(await readFile(process.argv[2], "utf8"))).diagnostics.filter((it) => it.severity === 0);
for (const it of errors) console.error(`${it.path.join("/")}: ${it.message}`);
process.exitCode = errors.length > 0 ? 1 : 0;
