/** Runs functions that come as lines of JSON, `{id, source, argument}`, and answers with lines, `{id, value}` or `{id, error}`. */
import { createInterface } from "node:readline";
import { SmallWebSocket } from "./small_websocket.mjs";

globalThis.WebSocketHere = globalThis.WebSocket ?? SmallWebSocket;
globalThis.sdk = await import(new URL("../../../sdk/js/index.js", import.meta.url).href);

for await (const line of createInterface({ input: process.stdin })) run(JSON.parse(line));

async function run({ id, source, argument }) {
  try {
    const value = await (0, eval)(`(${source})`)(argument);
    process.stdout.write(`${JSON.stringify({ id, value: value ?? null })}\n`);
  } catch (error) {
    process.stdout.write(`${JSON.stringify({ id, error: String(error?.stack ?? error) })}\n`);
  }
}

process.exit(0);
