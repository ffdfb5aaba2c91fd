import { newId } from "./new-id.js";

/** Most messages that may wait; one more is not taken. */
const mostWaiting = 200;
/** Most refused messages kept for the application to show; the oldest go first. */
const mostFailed = 100;

/**
 * Messages that the server has not shown back yet, in the order in which they were written. With a storage they outlive a reload
 * or a restart. An entry is `{clientMessageId, roomId, timestamp, content, state, error?}` with what `send_message` takes as its
 * content. Its state is
 *   waiting (for the connection, or with an error for another attempt) · sending · sent (acknowledged, with its seq) ·
 *   failed (refused for good, with the error)
 */
export class Outbox {
  #key;
  #storage;
  #entries;

  /** @param {{getItem, setItem, removeItem} | undefined} storage as `localStorage` and `sessionStorage` are */
  constructor(userId, storage) {
    this.#key = `chat.outbox.${userId}`;
    this.#storage = storage;
    this.#entries = this.#restored();
    for (const entry of this.#entries) if (entry.state !== "failed") reset(entry);
  }

  get isFull() {
    return this.#entries.filter(({ state }) => state !== "failed").length >= mostWaiting;
  }

  get roomIds() {
    return [...new Set(this.#entries.map(({ roomId }) => roomId))];
  }

  of(roomId) {
    return this.#entries.filter((entry) => entry.roomId === roomId);
  }

  /** @param content {message, mentions?, replyTo?, messageType?, metadata?} */
  add(roomId, content) {
    const entry = { clientMessageId: newId(), roomId, content, timestamp: Date.now(), state: "waiting" };
    this.#entries.push(entry);
    this.#save();
    return entry;
  }

  mark(entry, state, fields = {}) {
    Object.assign(entry, { error: undefined }, fields, { state });
    if (state === "failed") this.#boundFailed();
    this.#save();
  }

  remove(entry) {
    this.#entries = this.#entries.filter((other) => other !== entry);
    this.#save();
  }

  /** The entry that has become this message, if any. */
  match(message) {
    return this.#entries.find(
      (entry) =>
        entry.roomId === message.roomId &&
        (entry.clientMessageId === message.clientMessageId || entry.messageId === message.messageId),
    );
  }

  #boundFailed() {
    const failed = this.#entries.filter(({ state }) => state === "failed");
    const dropped = new Set(failed.slice(0, Math.max(0, failed.length - mostFailed)));
    this.#entries = this.#entries.filter((entry) => !dropped.has(entry));
  }

  #restored() {
    try {
      const entries = JSON.parse(this.#storage?.getItem(this.#key) ?? "[]");
      return entries.filter((entry) => typeof entry?.content?.message === "string" && typeof entry.clientMessageId === "string");
    } catch {
      return [];
    }
  }

  /** A storage that is full or forbidden costs the queue its life beyond this page, and nothing else. */
  #save() {
    try {
      if (this.#entries.length === 0) this.#storage?.removeItem(this.#key);
      else this.#storage?.setItem(this.#key, JSON.stringify(this.#entries));
    } catch {
      // See above.
    }
  }
}

function reset(entry) {
  delete entry.error;
  delete entry.wasRejoined;
  entry.state = "waiting";
}
