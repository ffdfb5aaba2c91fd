import { RequestError, unwrapReply } from "../protocol/errors.js";
import { Emitter } from "./emitter.js";

/** How long a connection may take to become ready, in milliseconds. */
const connectTimeout = 20_000;
/** How long a request may stay unanswered, in milliseconds. */
const replyTimeout = 10_000;
/** `WebSocket.OPEN`, which an injected constructor need not have. */
const isOpen = 1;

/**
 * One WebSocket in one framing; a reconnect makes a new transport. Fires
 *   event {event, data}   everything that the server sends
 *   close {code, reason}  once, and only after `connect` succeeded
 */
export class Transport extends Emitter {
  /** The session continues where the previous connection ended. */
  isRecovered = false;
  #socket;
  #framing;
  #nextId = 1;
  #waiting = new Map();
  #connecting = null;
  #isClosed = false;

  /** @param framing e.g. a `RawFraming` @param WebSocket the constructor */
  constructor(url, framing, WebSocket) {
    super();
    this.#framing = framing;
    this.#socket = new WebSocket(webSocketAddress(url, framing.path));
    this.#socket.onopen = () => this.#perform(framing.opened());
    this.#socket.onmessage = ({ data }) => typeof data === "string" && this.#perform(framing.receive(data));
    this.#socket.onclose = ({ code, reason }) => this.#end({ code, reason });
    this.#socket.onerror = () => {};
  }

  /** Resolves when requests may be sent; rejects with a `RequestError`. */
  connect() {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.close(), connectTimeout);
      this.#connecting = { resolve, reject, timer };
    });
  }

  /** Sends an event. @returns a promise of the server's answer; it rejects with a `RequestError` */
  emit(event, data = {}) {
    if (this.#isClosed || this.#socket.readyState !== isOpen) return Promise.reject(RequestError.connectionLost());
    const id = this.#nextId++;
    this.#socket.send(this.#framing.request(id, event, data));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(RequestError.timeout(event));
      }, replyTimeout);
      this.#waiting.set(id, { resolve, reject, timer });
    });
  }

  /** Ends the session too, so that the server does not keep it for a return. */
  leave() {
    const farewell = this.#framing.farewell;
    if (farewell && !this.#isClosed && this.#socket.readyState === isOpen) this.#socket.send(farewell);
    this.close();
  }

  /** A peer that is gone never answers a close handshake, so the transport has ended when this returns. */
  close() {
    this.#end({ code: 1006, reason: "closed here" });
  }

  #perform(actions) {
    for (const action of actions) if (!this.#isClosed) this.#do(action);
  }

  #do(action) {
    switch (action.type) {
      case "ready":
        this.isRecovered = action.recovered === true;
        this.#connected()?.resolve();
        break;
      case "event":
        this.fire("event", { event: action.event, data: action.data });
        break;
      case "answer":
        this.#answer(action);
        break;
      case "send":
        this.#socket.send(action.text);
        break;
      case "refused":
        this.#end({ code: 1006, reason: "refused" }, RequestError.refusal(action.error));
        break;
      case "closed":
        this.#end(action);
    }
  }

  /** The promise of `connect`, which is settled now; undefined when it was before. */
  #connected() {
    const connecting = this.#connecting;
    this.#connecting = null;
    clearTimeout(connecting?.timer);
    return connecting;
  }

  #answer({ id, data }) {
    const request = this.#waiting.get(id);
    if (!request) return;
    this.#waiting.delete(id);
    clearTimeout(request.timer);
    try {
      request.resolve(unwrapReply(data));
    } catch (error) {
      request.reject(error);
    }
  }

  /** @param error why `connect` failed, if it is not done yet */
  #end({ code, reason }, error = RequestError.unreachable()) {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.onclose = this.#socket.onmessage = this.#socket.onopen = null;
    this.#socket.close(1000);
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(RequestError.connectionLost());
    }
    this.#waiting.clear();
    const connecting = this.#connected();
    if (connecting) connecting.reject(error);
    else this.fire("close", { code, reason });
  }
}

function webSocketAddress(url, path) {
  const address = new URL(path, url);
  address.protocol = address.protocol.replace("http", "ws");
  return address.href;
}
