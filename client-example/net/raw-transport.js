import { Emitter } from "./emitter.js";
import { RequestError, replyTimeout, unwrapReply } from "./request-error.js";

/** Event frames, `{"event","data","id"}`, over a plain WebSocket at `/`. */
export class RawTransport extends Emitter {
  #socket = null;
  #nextId = 1;
  #waiting = new Map();

  connect() {
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/`);
    this.#socket = socket;
    return new Promise((resolve, reject) => {
      let isOpen = false;
      socket.onopen = () => {
        isOpen = true;
        resolve();
      };
      socket.onmessage = ({ data }) => this.#receive(data);
      socket.onclose = ({ code, reason }) => {
        this.#rejectWaiting();
        if (isOpen) this.fire("close", { code, reason });
        else reject(RequestError.unreachable());
      };
    });
  }

  emit(event, data = {}) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return Promise.reject(RequestError.connectionLost());
    const id = this.#nextId++;
    this.#socket.send(JSON.stringify({ event, data, id }));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(RequestError.timeout(event));
      }, replyTimeout);
      this.#waiting.set(id, { resolve, reject, timer });
    });
  }

  close() {
    const socket = this.#socket;
    if (!socket || socket.readyState === WebSocket.CLOSED) return;
    const wasOpen = socket.readyState === WebSocket.OPEN;
    const { onclose } = socket;
    socket.onclose = null;
    socket.close(1000);
    // A dead peer never answers a close handshake, so what follows from it happens now.
    if (wasOpen) {
      this.#rejectWaiting();
      this.fire("close", { code: 1006, reason: "closed here" });
    } else {
      onclose?.({ code: 1006, reason: "closed here" });
    }
  }

  #receive(text) {
    let frame;
    try {
      frame = JSON.parse(text);
    } catch {
      return;
    }
    if (frame?.event === "ack") this.#answer(frame);
    else if (typeof frame?.event === "string") this.fire("event", { event: frame.event, data: frame.data });
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

  #rejectWaiting() {
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(RequestError.connectionLost());
    }
    this.#waiting.clear();
  }
}
