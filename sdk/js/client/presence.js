import { Emitter } from "../connection/emitter.js";

/** Most users watched at once. */
const mostWatched = 500;

/**
 * The statuses of the users that are watched, and of this user. Fires `change`. `isSupported` is null until the server has answered;
 * with a server that does not know the events, nothing happens.
 */
export class Presence extends Emitter {
  isSupported = null;
  /** This user's status. */
  own = "online";
  #connection;
  #me;
  #byUser = new Map();
  #watched = new Set();

  constructor(connection, me) {
    super();
    this.#connection = connection;
    this.#me = me;
  }

  /** `{status, lastSeen}` of a watched user; undefined when nothing is known. */
  of(userId) {
    return userId === this.#me && this.isSupported ? { status: this.own } : this.#byUser.get(userId);
  }

  /** Watches further users, as far as the bound allows. */
  async watch(userIds) {
    if (this.isSupported === false || !this.#connection.isOnline) return;
    const fresh = [...new Set(userIds)].filter((id) => id !== this.#me && !this.#watched.has(id));
    const room = mostWatched - this.#watched.size;
    if (fresh.length === 0 || room <= 0) return;
    for (const id of fresh.slice(0, room)) this.#watched.add(id);
    await this.#ask("subscribe_presence", { userIds: fresh.slice(0, room) });
  }

  /** @param {"online" | "away" | "busy" | "invisible" | "offline"} status */
  async setStatus(status) {
    const previous = this.own;
    this.own = status;
    this.fire("change");
    if (!(await this.#ask("set_status", { status }))) this.own = previous;
    this.fire("change");
  }

  /** A new session has no subscriptions: those of before are made again, and a status that was chosen here is set again. */
  resume() {
    const watched = [...this.#watched];
    this.#watched.clear();
    if (this.own !== "online") this.setStatus(this.own);
    if (watched.length > 0 || this.hasHandler("change")) this.#ask("subscribe_presence", { userIds: [this.#me] });
    this.watch(watched);
  }

  /** Whether the event was one of presence. */
  receive(event, data) {
    if (event === "presence_snapshot") for (const user of data.users ?? []) this.#note(user);
    else if (event === "user_status_change") this.#note(data);
    else return false;
    this.fire("change");
    return true;
  }

  #note({ userId, status, lastSeen }) {
    if (userId === this.#me) this.own = status === "offline" ? this.own : status;
    else if (this.#watched.has(userId)) this.#byUser.set(userId, { status, lastSeen });
  }

  async #ask(event, data) {
    try {
      await this.#connection.emit(event, data);
      this.isSupported = true;
      return true;
    } catch (error) {
      if (error.code === "unknown_event") this.isSupported = false;
      return false;
    } finally {
      this.fire("change");
    }
  }
}
