import { Backoff } from "../net/reconnect.js";
import { Outbox } from "./outbox.js";

/** How long after its acknowledgement a message may take to come round, in milliseconds. */
const echoTimeout = 2_000;
/** The shortest pause after a refusal that a later try may get over, in milliseconds. */
const leastPause = 300;

/** A room's messages on their way: one at a time, so that a refused one keeps its place. */
class Lane {
  isBusy = false;
  backoff = new Backoff();
  timer = 0;
}

/**
 * Optimistic sending. Every message has a client id, so a message whose fate is unknown is sent again under the
 * same id and stored once. What the server refuses only for now is tried again until it is taken, later messages of
 * the room after it.
 */
export class Sender {
  #connection;
  #hooks;
  #outbox;
  #lanes = new Map();

  /**
   * @param hooks changed(roomId): an entry changed; rejoin(roomId): membership was lost;
   *   missing(roomId, seq): an acknowledged message did not come round; lastSeq(roomId)
   */
  constructor(connection, userId, hooks) {
    this.#connection = connection;
    this.#hooks = hooks;
    this.#outbox = new Outbox(userId);
  }

  get roomIds() {
    return this.#outbox.roomIds;
  }

  /** The room's messages that are not in its timeline yet. */
  pending(roomId) {
    return this.#outbox.of(roomId);
  }

  /** False when too many wait already. */
  send(roomId, content, canSendNow) {
    if (this.#outbox.isFull) return false;
    this.#outbox.add(roomId, content);
    if (canSendNow && !this.#lane(roomId).timer) this.#advance(roomId);
    return true;
  }

  retry(entry) {
    if (entry.state !== "sending") this.#outbox.mark(entry, "waiting");
    this.#advance(entry.roomId);
    this.#hooks.changed(entry.roomId);
  }

  discard(entry) {
    this.#outbox.remove(entry);
    this.#hooks.changed(entry.roomId);
  }

  /** Sends what the room has waiting, in order; called once it is joined. */
  flush(roomId) {
    this.#lane(roomId).backoff.reset();
    this.#advance(roomId);
  }

  /** Signs off: nothing is tried any more. */
  stop() {
    for (const lane of this.#lanes.values()) clearTimeout(lane.timer);
  }

  /** A message took its place: the entry it stems from is done. */
  didStore(message) {
    const entry = this.#outbox.match(message);
    if (entry) this.#outbox.remove(entry);
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
      const ack = await this.#connection.emit("send_message", { roomId, ...content, clientMessageId });
      lane.backoff.reset();
      this.#acknowledged(entry, ack);
      return true;
    } catch (error) {
      return this.#refused(entry, error, lane);
    }
  }

  #acknowledged(entry, { seq, messageId, timestamp }) {
    if (seq <= this.#hooks.lastSeq(entry.roomId)) return this.#outbox.remove(entry);
    this.#outbox.mark(entry, "sent", { seq, messageId, timestamp });
    setTimeout(() => this.#hooks.missing(entry.roomId, seq), echoTimeout);
  }

  #refused(entry, error, lane) {
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
    return true;
  }
}
