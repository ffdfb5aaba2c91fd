import { Emitter } from "./emitter.js";
import { RequestError, replyTimeout, unwrapReply } from "./request-error.js";

/** The stock Socket.IO client; the server serves it only where its operator put one. */
export const socketIOClientURL = "/client/vendor/socket.io.min.js";

/** Socket.IO has no close codes; before these the server says why by an `error` event. */
const closeCodeByError = { bad_frame: 4400, unauthorized: 4401, unauthenticated: 4401, forbidden: 4403, replaced: 4409 };

/** The same events over Socket.IO, with its native acknowledgements. */
export class SocketIOTransport extends Emitter {
  #token;
  #socket = null;
  #lastError = null;

  constructor({ token } = {}) {
    super();
    this.#token = token;
  }

  async connect() {
    const io = await loadClient();
    const socket = io({ reconnection: false, forceNew: true, auth: this.#token ? { token: this.#token } : {} });
    this.#socket = socket;
    await new Promise((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("connect_error", (error) => {
        socket.close();
        const code = error.data?.code ?? "network";
        const text = error.data?.message ?? "The server cannot be reached.";
        reject(new RequestError(code, text, error.data?.retryable ?? code === "network"));
      });
    });
    socket.onAny((event, data) => this.#receive(event, data));
    socket.once("disconnect", (reason) => this.fire("close", this.#explain(reason)));
  }

  emit(event, data = {}) {
    const socket = this.#socket;
    if (!socket?.connected) return Promise.reject(RequestError.connectionLost());
    return new Promise((resolve, reject) => {
      const lost = () => reject(RequestError.connectionLost());
      socket.once("disconnect", lost);
      socket.timeout(replyTimeout).emit(event, data, (failure, reply) => {
        socket.off("disconnect", lost);
        if (failure) return reject(RequestError.timeout(event));
        try {
          resolve(unwrapReply(reply));
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  close() {
    this.#socket?.disconnect();
  }

  #receive(event, data) {
    if (event === "error") this.#lastError = { ...data, at: performance.now() };
    this.fire("event", { event, data });
  }

  /** The close code and reason a raw connection would have ended with. */
  #explain(reason) {
    if (reason !== "io server disconnect") return { code: 1006, reason };
    const isFresh = this.#lastError && performance.now() - this.#lastError.at < 2000;
    const { code, message } = isFresh ? this.#lastError : {};
    return { code: closeCodeByError[code] ?? 4403, reason: message ?? reason };
  }
}

let loading = null;

function loadClient() {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = socketIOClientURL;
    script.onload = () => resolve(globalThis.io);
    script.onerror = () => {
      loading = null;
      script.remove();
      reject(new RequestError("network", "The Socket.IO client could not be loaded.", true));
    };
    document.head.append(script);
  });
  return loading;
}
