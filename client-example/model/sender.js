import { Outbox } from "./outbox.js";

/** How long after its acknowledgement a message may take to come round, in milliseconds. */
const echoTimeout = 2_000;

/**
 * Optimistic sending. Every message has a client id, so a message whose fate is unknown is sent again under the
 * same id and stored once.
 */
export class Sender {
  #connection;
  #hooks;
  #outbox;

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
  send(roomId, text, canSendNow) {
    if (this.#outbox.isFull) return false;
    const entry = this.#outbox.add(roomId, text);
    if (canSendNow) this.#attempt(entry);
    return true;
  }

  retry(entry) {
    if (this.#connection.isOnline) this.#attempt(entry);
    else this.#outbox.mark(entry, "waiting");
    this.#hooks.changed(entry.roomId);
  }

  discard(entry) {
    this.#outbox.remove(entry);
    this.#hooks.changed(entry.roomId);
  }

  /** Sends what the room has waiting or unanswered, in order; called once it is joined. */
  flush(roomId) {
    for (const entry of this.#outbox.of(roomId)) {
      if (entry.state === "waiting" || entry.error?.code === "timeout") this.#attempt(entry);
    }
  }

  /** A message came in: the entry it stems from has done its duty. */
  settle(message) {
    const entry = this.#outbox.match(message);
    if (entry) this.#outbox.remove(entry);
  }

  async #attempt(entry) {
    this.#outbox.mark(entry, "sending");
    const { roomId, message, clientMessageId } = entry;
    try {
      const ack = await this.#connection.emit("send_message", { roomId, message, clientMessageId });
      this.#acknowledged(entry, ack);
    } catch (error) {
      this.#refused(entry, error);
    }
    this.#hooks.changed(roomId);
  }

  #acknowledged(entry, { seq, messageId, timestamp }) {
    if (seq <= this.#hooks.lastSeq(entry.roomId)) return this.#outbox.remove(entry);
    this.#outbox.mark(entry, "sent", { seq, messageId, timestamp });
    setTimeout(() => this.#hooks.missing(entry.roomId, seq), echoTimeout);
  }

  #refused(entry, error) {
    if (error.code === "connection_lost") {
      this.#outbox.mark(entry, "waiting");
    } else if (error.code === "not_joined" && !entry.wasRejoined) {
      this.#outbox.mark(entry, "waiting", { wasRejoined: true });
      this.#hooks.rejoin(entry.roomId);
    } else {
      const { code, message, retryable } = error;
      this.#outbox.mark(entry, "failed", { error: { code, message, retryable } });
    }
  }
}
