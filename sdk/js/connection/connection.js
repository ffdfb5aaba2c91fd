import { adviceFor } from "../protocol/close-codes.js";
import { RequestError } from "../protocol/errors.js";
import { RawFraming } from "../protocol/raw-framing.js";
import { RecoveryState, SocketIOFraming } from "../protocol/socketio-framing.js";
import { Backoff } from "./backoff.js";
import { Emitter } from "./emitter.js";
import { isOffline, watchNetwork } from "./network-signals.js";
import { Transport } from "./transport.js";

/** A connection that was silent for this long is tested, in milliseconds. */
const pingInterval = 25_000;

/**
 * Keeps one authenticated connection alive. Fires
 *   state {name, …}               idle · connecting · online · waiting {retryAt, attempt, error?} · offline ·
 *                                 stopped {why, code, reason} · refused {error}
 *   session {…, isRecovered}      the server's answer to `authenticate`; a recovered session has its rooms already
 *   event {event, data}           everything that the server sends
 *   expiring {expiresAt}          the token expires soon, and there is no callback for a new one
 */
export class Connection extends Emitter {
  state = { name: "idle" };
  #url;
  #credentials;
  #framing;
  #WebSocket;
  #transport = null;
  #session = null;
  #recovery = new RecoveryState();
  #backoff = new Backoff();
  #retryTimer = 0;
  #pingTimer = 0;
  #drainHint = null;
  #lastHeard = 0;
  #hasRenewed = false;
  #early = [];
  #unwatch = () => {};

  /**
   * @param {string} url of the server, `http:` or `https:`
   * @param {import("./credentials.js").Credentials} credentials
   * @param {{framing?: "raw" | "socketio", WebSocket?: Function}} options
   */
  constructor(url, credentials, { framing = "raw", WebSocket = globalThis.WebSocket } = {}) {
    super();
    if (!WebSocket) throw new TypeError("There is no global WebSocket here; pass a constructor as the option WebSocket.");
    this.#url = url;
    this.#credentials = credentials;
    this.#framing = framing;
    this.#WebSocket = WebSocket;
  }

  get isOnline() {
    return this.state.name === "online";
  }

  start() {
    this.#unwatch();
    this.#unwatch = watchNetwork({
      online: () => this.#networkCameBack(),
      offline: () => this.#networkWentAway(),
      visible: () => this.#checkAfterSleep(),
    });
    this.#open();
  }

  stop() {
    this.#unwatch();
    this.#transport?.leave();
    this.#halt({ name: "idle" });
  }

  /** Tries now instead of when the back-off says; also the way out of `stopped` and `refused`. */
  retryNow() {
    if (this.isOnline || this.state.name === "connecting") return;
    this.#open();
  }

  /** Continues in the other framing. @param {"raw" | "socketio"} framing */
  useFraming(framing) {
    if (framing === this.#framing) return;
    this.#framing = framing;
    this.#drop();
    this.#open();
  }

  /** Sends one event; resolves with the server's answer. */
  emit(event, data) {
    if (!this.isOnline) return Promise.reject(RequestError.connectionLost());
    return this.#transport.emit(event, data);
  }

  /** Presents a fresh token for the same user on the live connection. */
  async renewToken(token) {
    await this.#transport.emit("authenticate", { token });
    this.#credentials.token = token;
  }

  async #open() {
    clearTimeout(this.#retryTimer);
    this.#drop();
    this.#set({ name: "connecting", attempt: this.#backoff.attempt });
    const opening = this.state;
    let transport = null;
    const isCurrent = () => (transport ? this.#transport === transport : this.state === opening);
    try {
      await this.#credentials.prepare();
      if (!isCurrent()) return;
      transport = this.#transport = this.#newTransport();
      transport.on("event", (frame) => isCurrent() && this.#receive(frame));
      transport.on("close", (close) => isCurrent() && this.#closed(close));
      await transport.connect();
      const isRecovered = transport.isRecovered && this.#session !== null;
      const session = isRecovered ? this.#session : await transport.emit("authenticate", this.#credentials.claim);
      if (isCurrent()) this.#opened(session, isRecovered);
    } catch (error) {
      if (isCurrent()) this.#failed(error);
    }
  }

  #newTransport() {
    // Both framings authenticate by a request, so a token is shown once.
    const framing = this.#framing === "socketio" ? new SocketIOFraming(this.#recovery) : new RawFraming();
    return new Transport(this.#url, framing, this.#WebSocket);
  }

  #opened(session, isRecovered) {
    this.#backoff.reset();
    this.#drainHint = null;
    this.#hasRenewed = false;
    this.#session = session;
    this.#lastHeard = Date.now();
    this.#pingTimer = setInterval(() => this.#ping(), pingInterval);
    this.#set({ name: "online" });
    this.fire("session", { ...session, isRecovered });
    for (const frame of this.#early.splice(0)) this.fire("event", frame);
  }

  /** The connection was not made. Refusals end it; everything else is tried again. */
  #failed(error) {
    this.#drop();
    if (error.retryable) this.#wait("retry", error);
    else if (error.code === "unauthorized" && this.#mayRenew()) this.#renewAndOpen();
    else this.#halt({ name: "refused", error });
  }

  #closed({ code, reason }) {
    this.#drop();
    const advice = adviceFor(code);
    if (advice === "retry" || advice === "slow") this.#wait(advice);
    else if (advice === "signIn" && this.#mayRenew()) this.#renewAndOpen();
    else this.#halt({ name: "stopped", why: advice, code, reason });
  }

  /** One new token for each failure: a second refusal in a row is the server's word. */
  #mayRenew() {
    return this.#credentials.isRenewable && !this.#hasRenewed;
  }

  #renewAndOpen() {
    this.#hasRenewed = true;
    this.#credentials.token = undefined;
    this.#open();
  }

  #wait(advice, error) {
    if (isOffline()) return this.#set({ name: "offline" });
    const delay = this.#drainHint ?? Math.max(error?.retryAfter ?? 0, this.#backoff.next({ slow: advice === "slow" }));
    this.#drainHint = null;
    this.#retryTimer = setTimeout(() => this.#open(), delay);
    this.#set({ name: "waiting", retryAt: Date.now() + delay, attempt: this.#backoff.attempt, error });
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
    this.#early = [];
    transport?.close();
  }

  #receive(frame) {
    this.#lastHeard = Date.now();
    if (frame.event === "server_draining") this.#noteDrain(frame.data);
    if (frame.event === "token_expiring") this.#renewBeforeExpiry(frame.data);
    // What a recovered session missed may come before its `session` was fired.
    if (this.isOnline) this.fire("event", frame);
    else this.#early.push(frame);
  }

  #noteDrain(data) {
    const hint = Number(data?.reconnectInMs) || 0;
    this.#drainHint = Math.round(hint * (1 + Math.random() / 2));
  }

  /** A renewal that fails is made up for after the server has closed the connection with 4401. */
  async #renewBeforeExpiry(data) {
    if (!this.#credentials.isRenewable) return this.fire("expiring", data);
    try {
      await this.#credentials.renew();
      await this.emit("authenticate", this.#credentials.claim);
    } catch {
      // See above.
    }
  }

  #ping() {
    const transport = this.#transport;
    transport?.emit("ping", { at: Date.now() }).then(
      () => (this.#lastHeard = Date.now()),
      (error) => error.code === "timeout" && this.#transport === transport && this.#closed({ code: 1006, reason: "silent" }),
    );
  }

  #networkCameBack() {
    if (this.state.name === "offline" || this.state.name === "waiting") this.#open();
  }

  #networkWentAway() {
    if (["online", "connecting", "waiting"].includes(this.state.name)) this.#halt({ name: "offline" });
  }

  /** A device that slept may hold a connection that the server has ended long ago. */
  #checkAfterSleep() {
    if (this.isOnline && Date.now() - this.#lastHeard > pingInterval) this.#ping();
    else if (this.state.name === "waiting") this.#open();
  }

  #set(state) {
    this.state = state;
    this.fire("state", state);
  }
}
