import { Emitter } from "../net/emitter.js";

/** Most users watched at once. */
const mostWatched = 500;

export const statuses = { online: "Online", away: "Away", busy: "Busy", invisible: "Invisible" };

/** A status in a word; a user in none of them is offline. */
export const statusName = (status) => statuses[status] ?? "Offline";

/**
 * Who is online and how. Fires `change`. `isSupported` is null until the server has answered; where it does not know
 * the events, everything stays quiet.
 */
export class Presence extends Emitter {
  isSupported = null;
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

  /** `{status, lastSeen}` or undefined when nothing is known. */
  of(userId) {
    return userId === this.#me && this.isSupported ? { status: this.own } : this.#byUser.get(userId);
  }

  async watch(userIds) {
    if (this.isSupported === false || !this.#connection.isOnline) return;
    const fresh = [...new Set(userIds)].filter((id) => id !== this.#me && !this.#watched.has(id));
    const room = mostWatched - this.#watched.size;
    if (fresh.length === 0 || room <= 0) return;
    for (const id of fresh.slice(0, room)) this.#watched.add(id);
    await this.#ask("subscribe_presence", { userIds: fresh.slice(0, room) });
  }

  async setStatus(status) {
    const previous = this.own;
    this.own = status;
    this.fire("change");
    if (!(await this.#ask("set_status", { status }))) this.own = previous;
    this.fire("change");
  }

  /** A new connection starts with no subscriptions; a status chosen here is chosen again. One's own is always watched. */
  resume() {
    const watched = [...this.#watched];
    this.#watched.clear();
    if (this.own !== "online") this.setStatus(this.own);
    this.#ask("subscribe_presence", { userIds: [this.#me] });
    this.watch(watched);
  }

  receive(event, data) {
    if (event === "presence_snapshot") for (const user of data.users ?? []) this.#note(user);
    else if (event === "user_status_change") this.#note(data);
    else return;
    this.fire("change");
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
