import { Emitter } from "./emitter.js";
import { Backoff, adviceFor } from "./reconnect.js";
import { RequestError } from "./request-error.js";
import { makeTransport } from "./transport.js";

const pingInterval = 25_000;

/**
 * Keeps one authenticated connection alive.
 *
 * Fires `state` with {name, …} where name is
 *   connecting · online · waiting {retryAt, attempt} · offline · stopped {why, code, reason} · refused {error},
 * `session` with the server's answer to `authenticate`, and `event` with every {event, data}.
 */
export class Connection extends Emitter {
  state = { name: "idle" };
  #identity;
  #kind;
  #transport = null;
  #backoff = new Backoff();
  #retryTimer = 0;
  #pingTimer = 0;
  #drainHint = null;
  #lastHeard = 0;

  constructor(identity, kind) {
    super();
    this.#identity = identity;
    this.#kind = kind;
  }

  get isOnline() {
    return this.state.name === "online";
  }

  start() {
    addEventListener("online", this.#networkCameBack);
    addEventListener("offline", this.#networkWentAway);
    document.addEventListener("visibilitychange", this.#checkAfterSleep);
    this.#open();
  }

  stop() {
    removeEventListener("online", this.#networkCameBack);
    removeEventListener("offline", this.#networkWentAway);
    document.removeEventListener("visibilitychange", this.#checkAfterSleep);
    this.#halt({ name: "idle" });
  }

  /** Tries now instead of when the back-off says; also the way out of `stopped`. */
  retryNow() {
    if (this.state.name === "online" || this.state.name === "connecting") return;
    this.#open();
  }

  useTransport(kind) {
    if (kind === this.#kind) return;
    this.#kind = kind;
    this.#drop();
    this.#open();
  }

  /** Sends one event; resolves with the server's reply. */
  emit(event, data) {
    if (!this.isOnline) return Promise.reject(RequestError.connectionLost());
    return this.#transport.emit(event, data);
  }

  /** Presents a fresh token for the same user on the live connection. */
  async renewToken(token) {
    await this.#transport.emit("authenticate", { token });
    this.#identity.token = token;
  }

  async #open() {
    clearTimeout(this.#retryTimer);
    this.#set({ name: "connecting", attempt: this.#backoff.attempt });
    const transport = makeTransport(this.#kind, this.#identity);
    this.#transport = transport;
    const isCurrent = () => this.#transport === transport;
    transport.on("event", (frame) => isCurrent() && this.#receive(frame));
    transport.on("close", (close) => isCurrent() && this.#closed(close));
    try {
      await transport.connect();
      const session = await transport.emit("authenticate", credentials(this.#identity));
      if (isCurrent()) this.#opened(session);
    } catch (error) {
      if (isCurrent()) this.#failed(error);
    }
  }

  #opened(session) {
    this.#backoff.reset();
    this.#drainHint = null;
    this.#lastHeard = Date.now();
    this.#pingTimer = setInterval(() => this.#ping(), pingInterval);
    this.#set({ name: "online" });
    this.fire("session", session);
  }

  /** The connection did not come about: refusals end it, everything else is tried again. */
  #failed(error) {
    this.#drop();
    if (error.retryable) this.#wait(adviceFor(0));
    else this.#halt({ name: "refused", error });
  }

  #closed({ code, reason }) {
    this.#drop();
    const advice = adviceFor(code);
    if (advice === "retry" || advice === "slow") this.#wait(advice);
    else this.#halt({ name: "stopped", why: advice, code, reason });
  }

  #wait(advice) {
    if (!navigator.onLine) return this.#set({ name: "offline" });
    const delay = this.#drainHint ?? this.#backoff.next({ slow: advice === "slow" });
    this.#drainHint = null;
    this.#retryTimer = setTimeout(() => this.#open(), delay);
    this.#set({ name: "waiting", retryAt: Date.now() + delay, attempt: this.#backoff.attempt });
  }

  #halt(state) {
    clearTimeout(this.#retryTimer);
    this.#drop();
    this.#set(state);
  }

  #drop() {
    clearInterval(this.#pingTimer);
    const transport = this.#transport;
    this.#transport = null;
    transport?.close();
  }

  #receive(frame) {
    this.#lastHeard = Date.now();
    if (frame.event === "server_draining") {
      const hint = Number(frame.data?.reconnectInMs) || 0;
      this.#drainHint = Math.round(hint * (1 + Math.random() / 2));
    }
    this.fire("event", frame);
  }

  #ping() {
    const transport = this.#transport;
    transport?.emit("ping", { at: Date.now() }).then(
      () => (this.#lastHeard = Date.now()),
      (error) => error.code === "timeout" && this.#transport === transport && this.#closed({ code: 1006, reason: "silent" }),
    );
  }

  #networkCameBack = () => {
    if (this.state.name === "offline" || this.state.name === "waiting") this.#open();
  };

  #networkWentAway = () => {
    if (!["online", "connecting", "waiting"].includes(this.state.name)) return;
    this.#halt({ name: "offline" });
  };

  /** A device that slept may hold a connection the server has long forgotten. */
  #checkAfterSleep = () => {
    if (document.visibilityState !== "visible") return;
    if (this.isOnline && Date.now() - this.#lastHeard > pingInterval) this.#ping();
    else if (this.state.name === "waiting") this.#open();
  };

  #set(state) {
    this.state = state;
    this.fire("state", state);
  }
}

function credentials({ token, userId, username }) {
  return token ? { token } : { userId, username };
}
