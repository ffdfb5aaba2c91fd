/** As much of a WebSocket (RFC 6455) as the tests need in a Node that has none: text frames, unencrypted, over `node:http`. */
import { randomBytes } from "node:crypto";
import { request } from "node:http";

const [continuation, text, close, ping, pong] = [0, 1, 8, 9, 10];

export class SmallWebSocket {
  readyState = 0;
  onopen = null;
  onmessage = null;
  onclose = null;
  #socket = null;
  #buffer = Buffer.alloc(0);
  #parts = [];
  #request;

  constructor(url) {
    const headers = {
      Connection: "Upgrade",
      Upgrade: "websocket",
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": randomBytes(16).toString("base64"),
    };
    this.#request = request(url.replace(/^ws/, "http"), { headers });
    this.#request.on("upgrade", (_, socket, head) => this.#opened(socket, head));
    this.#request.on("response", () => this.#ended(1006, ""));
    this.#request.on("error", () => this.#ended(1006, ""));
    this.#request.end();
  }

  send(data) {
    this.#write(text, Buffer.from(data));
  }

  close(code = 1000) {
    if (this.readyState >= 2) return;
    if (this.readyState === 1) this.#write(close, Buffer.from([code >> 8, code & 255]));
    this.readyState = 2;
    if (this.#socket) this.#socket.end();
    else this.#request.destroy();
  }

  #opened(socket, head) {
    this.#socket = socket;
    this.readyState = 1;
    socket.on("data", (data) => this.#read(data));
    socket.on("close", () => this.#ended(1006, ""));
    socket.on("error", () => {});
    this.onopen?.({});
    this.#read(head);
  }

  #read(data) {
    this.#buffer = Buffer.concat([this.#buffer, data]);
    for (let frame = this.#next(); frame; frame = this.#next()) this.#take(frame);
  }

  #next() {
    const buffer = this.#buffer;
    if (buffer.length < 2) return null;
    const short = buffer[1] & 127;
    const start = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (buffer.length < start) return null;
    const length = short < 126 ? short : short === 126 ? buffer.readUInt16BE(2) : Number(buffer.readBigUInt64BE(2));
    if (buffer.length < start + length) return null;
    this.#buffer = buffer.subarray(start + length);
    return { isLast: buffer[0] >= 128, opcode: buffer[0] & 15, payload: buffer.subarray(start, start + length) };
  }

  #take({ isLast, opcode, payload }) {
    if (opcode === ping) return this.#write(pong, payload);
    if (opcode === close) return this.#ended(payload.length >= 2 ? payload.readUInt16BE(0) : 1005, payload.subarray(2).toString());
    if (opcode !== text && opcode !== continuation) return;
    this.#parts.push(payload);
    if (isLast) this.onmessage?.({ data: Buffer.concat(this.#parts.splice(0)).toString() });
  }

  #write(opcode, payload) {
    const { length } = payload;
    const size = length < 126 ? [length] : length < 65536 ? [126, length >> 8, length & 255] : null;
    const head = size ?? [127, ...new Uint8Array(new BigUint64Array([BigInt(length)]).buffer).reverse()];
    const mask = randomBytes(4);
    const masked = Buffer.from(payload.map((byte, at) => byte ^ mask[at & 3]));
    if (this.#socket?.writable) this.#socket.write(Buffer.concat([Buffer.from([128 | opcode, head[0] | 128, ...head.slice(1)]), mask, masked]));
  }

  #ended(code, reason) {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.#socket?.destroy();
    this.onclose?.({ code, reason });
  }
}
