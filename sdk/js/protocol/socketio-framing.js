import { closeCodeOf } from "./close-codes.js";
import { parsed } from "./json.js";

/** Engine.IO 4 packet types. */
const [open, close, ping, pong, message] = "01234";
/** Socket.IO 5 packet types. */
const [connect, disconnect, event, ack, connectError] = "01234";

/** The digits of an acknowledgement id, and the rest. It matches every text. */
const idAndRest = /^(\d*)([^]*)$/;

/** What a connection has to remember for the next one to recover its session. */
export class RecoveryState {
  /** The private id of the session, from the answer to CONNECT; null when there is none. */
  pid = null;
  /** The offset of the last message that carried one. */
  offset = null;
}

/**
 * Socket.IO 5 on Engine.IO 4, over a WebSocket alone, in the main namespace. The actions are those of `RawFraming`; `ready` also
 * says whether the session was recovered.
 */
export class SocketIOFraming {
  path = "/socket.io/?EIO=4&transport=websocket";
  farewell = `${message}${disconnect}`;
  #recovery;
  #auth;
  #lastError = null;

  /**
   * @param {RecoveryState} recovery is read for this connection and kept up to date for the next
   * @param {object} auth goes into the handshake: `{serviceKey, serviceName}` on the internal listener
   */
  constructor(recovery = new RecoveryState(), auth = {}) {
    this.#recovery = recovery;
    this.#auth = auth;
  }

  /** The server speaks first. */
  opened() {
    return [];
  }

  request(id, name, data) {
    return `${message}${event}${id}${JSON.stringify([name, data])}`;
  }

  receive(text) {
    switch (text[0]) {
      case open:
        return [{ type: "send", text: `${message}${connect}${JSON.stringify(this.#claim())}` }];
      case ping:
        return [{ type: "send", text: pong + text.slice(1) }];
      case close:
        return [{ type: "closed", code: 1006, reason: "transport close" }];
      case message:
        return this.#packet(text[1], text.slice(2));
      default:
        return [];
    }
  }

  #claim() {
    const { pid, offset } = this.#recovery;
    const recovering = pid !== null && offset !== null ? { pid, offset } : {};
    return { recovery: true, ...recovering, ...this.#auth };
  }

  #packet(type, body) {
    if (type !== disconnect) this.#lastError = null;
    switch (type) {
      case connect:
        return [this.#connected(parsed(body) ?? {})];
      case connectError:
        return [{ type: "refused", error: this.#refusal(parsed(body) ?? {}) }];
      case disconnect:
        return [this.#disconnected()];
      case event:
        return this.#event(body);
      case ack:
        return this.#answer(body);
      default:
        return [];
    }
  }

  #connected({ pid = null }) {
    const recovered = pid !== null && pid === this.#recovery.pid;
    if (!recovered) Object.assign(this.#recovery, { pid, offset: null });
    return { type: "ready", recovered };
  }

  #refusal({ message: text, data = {} }) {
    return { code: data.code ?? text, message: data.message ?? text, retryable: data.retryable ?? false, ...data };
  }

  /** A session that the server ended cannot be recovered. */
  #disconnected() {
    Object.assign(this.#recovery, { pid: null, offset: null });
    const { code, message: text } = this.#lastError ?? {};
    return { type: "closed", code: closeCodeOf(code), reason: text ?? "disconnected by the server" };
  }

  #event(body) {
    const [, , packed] = idAndRest.exec(body);
    const list = parsed(packed);
    if (!Array.isArray(list) || typeof list[0] !== "string") return [];
    const [name, data, offset] = list;
    if (typeof offset === "string") this.#recovery.offset = offset;
    if (name === "error") this.#lastError = data;
    return [{ type: "event", event: name, data }];
  }

  #answer(body) {
    const [, id, packed] = idAndRest.exec(body);
    const list = parsed(packed);
    return Array.isArray(list) ? [{ type: "answer", id: Number(id), data: list[0] }] : [];
  }
}
