import { Backoff } from "../connection/backoff.js";
import { Outbox } from "./outbox.js";

/** How long after its acknowledgement a message's own event may take, in milliseconds. */
const echoTimeout = 2_000;
/** The shortest pause after a refusal that a later attempt may get over, in milliseconds. */
const leastPause = 300;

/** The messages of one room on their way: one at a time, so that a refused one keeps its place. */
class Lane {
  isBusy = false;
  backoff = new Backoff();
  timer = 0;
}

/**
 * Optimistic sending. Each message has a client id. So a message whose outcome is unknown is sent again under the same id, and the
 * server stores it once. A message that is refused only for now is sent again until the server takes it, and later messages of the
 * room wait behind it. A message that is refused for good is reported, and the next one follows.
 */
export class Sender {
  #connection;
  #hooks;
  #outbox;
  #lanes = new Map();
  #echoTimers = new Set();

  /**
   * @param hooks changed(roomId): an entry changed; accepted(entry); refused(entry): for good; rejoin(roomId): the server says that
   *   the room is not joined; missing(roomId, seq): the event of an acknowledged message did not come; lastSeq(roomId)
   */
  constructor(connection, userId, storage, hooks) {
    this.#connection = connection;
    this.#hooks = hooks;
    this.#outbox = new Outbox(userId, storage);
  }

  get roomIds() {
    return this.#outbox.roomIds;
  }

  /** The room's messages that are not in its timeline yet. */
  pending(roomId) {
    return this.#outbox.of(roomId);
  }

  /** @returns the entry, or null when too many wait already */
  send(roomId, content, canSendNow) {
    if (this.#outbox.isFull) return null;
    const entry = this.#outbox.add(roomId, content);
    if (canSendNow && !this.#lane(roomId).timer) this.#advance(roomId);
    return entry;
  }

  /** Tries at once what waits or was refused. */
  retry(entry) {
    if (entry.state !== "sending") this.#outbox.mark(entry, "waiting");
    this.#advance(entry.roomId);
    this.#hooks.changed(entry.roomId);
  }

  discard(entry) {
    this.#outbox.remove(entry);
    this.#hooks.changed(entry.roomId);
  }

  /** Sends the room's waiting messages in order; called once the room is joined. */
  flush(roomId) {
    this.#lane(roomId).backoff.reset();
    this.#advance(roomId);
  }

  /** Ends all attempts. The entries stay. */
  stop() {
    for (const lane of this.#lanes.values()) clearTimeout(lane.timer);
    for (const timer of this.#echoTimers) clearTimeout(timer);
  }

  /** A message took its place in the room's log: the entry that it stems from is done, whether its acknowledgement came or not. */
  didStore(message) {
    const entry = this.#outbox.match(message);
    if (!entry) return;
    this.#accept(entry, message);
    this.#outbox.remove(entry);
  }

  #lane(roomId) {
    if (!this.#lanes.has(roomId)) this.#lanes.set(roomId, new Lane());
    return this.#lanes.get(roomId);
  }

  /** Sends the room's waiting messages, the oldest first, until one has to wait. */
  async #advance(roomId) {
    const lane = this.#lane(roomId);
    if (lane.isBusy) return;
    clearTimeout(lane.timer);
    lane.timer = 0;
    lane.isBusy = true;
    let mayGoOn = true;
    while (mayGoOn && this.#connection.isOnline) {
      const next = this.#outbox.of(roomId).find((entry) => entry.state === "waiting");
      if (!next) break;
      mayGoOn = await this.#attempt(next, lane);
      this.#hooks.changed(roomId);
    }
    lane.isBusy = false;
    if (this.#outbox.of(roomId).length === 0) this.#lanes.delete(roomId);
  }

  /** True when the next one may follow. */
  async #attempt(entry, lane) {
    this.#outbox.mark(entry, "sending");
    const { roomId, content, clientMessageId } = entry;
    try {
      const answer = await this.#connection.emit("send_message", { roomId, ...content, clientMessageId });
      lane.backoff.reset();
      this.#acknowledged(entry, answer);
      return true;
    } catch (error) {
      return this.#refused(entry, error, lane);
    }
  }

  #accept(entry, { seq, messageId, timestamp }) {
    if (entry.state === "sent") return;
    this.#outbox.mark(entry, "sent", { seq, messageId, timestamp });
    this.#hooks.accepted(entry);
  }

  #acknowledged(entry, { seq, messageId, timestamp }) {
    this.#accept(entry, { seq, messageId, timestamp });
    if (seq <= this.#hooks.lastSeq(entry.roomId)) return this.#outbox.remove(entry);
    const timer = setTimeout(() => {
      this.#echoTimers.delete(timer);
      this.#hooks.missing(entry.roomId, seq);
    }, echoTimeout);
    this.#echoTimers.add(timer);
  }

  #refused(entry, error, lane) {
    // Its own event came before the answer was lost.
    if (entry.state === "sent") return error.code !== "connection_lost";
    const { code, message, retryable, retryAfter } = error;
    if (code === "connection_lost") {
      this.#outbox.mark(entry, "waiting");
      return false;
    }
    if (code === "not_joined" && !entry.wasRejoined) {
      this.#outbox.mark(entry, "waiting", { wasRejoined: true });
      this.#hooks.rejoin(entry.roomId);
      return false;
    }
    if (retryable) {
      this.#outbox.mark(entry, "waiting", { error: { code, message } });
      lane.timer = setTimeout(() => this.#advance(entry.roomId), Math.max(leastPause, lane.backoff.next(), retryAfter));
      return false;
    }
    this.#outbox.mark(entry, "failed", { error: { code, message } });
    this.#hooks.refused(entry);
    return true;
  }
}
