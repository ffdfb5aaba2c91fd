/** Most unsent messages a tab keeps; past it, sending says so. */
const mostKept = 200;

/**
 * Messages the server has not shown back yet, in the order they were written. Kept in the tab's storage, so that a
 * reload loses none. An entry is `{clientMessageId, roomId, timestamp, content, state}` with what `send_message` takes as its
 * content, and its state is
 *   waiting (for the connection, or with an error for another try) · sending · sent (acknowledged, with its seq) ·
 *   failed (refused, with an error)
 */
export class Outbox {
  #key;
  #entries = [];

  constructor(userId) {
    this.#key = `chat.outbox.${userId}`;
    try {
      this.#entries = JSON.parse(sessionStorage.getItem(this.#key)) ?? [];
    } catch {
      this.#entries = [];
    }
    this.#entries = this.#entries.filter((entry) => typeof entry?.content?.message === "string");
    for (const entry of this.#entries) if (entry.state !== "failed") this.#reset(entry);
  }

  get isFull() {
    return this.#entries.length >= mostKept;
  }

  get roomIds() {
    return [...new Set(this.#entries.map((entry) => entry.roomId))];
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
    this.#save();
  }

  remove(entry) {
    this.#entries = this.#entries.filter((other) => other !== entry);
    this.#save();
  }

  /** The room's entry that has become `message`, if any. */
  match(message) {
    return this.#entries.find(
      (entry) =>
        entry.roomId === message.roomId &&
        (entry.clientMessageId === message.clientMessageId || entry.messageId === message.messageId),
    );
  }

  #reset(entry) {
    delete entry.error;
    delete entry.wasRejoined;
    entry.state = "waiting";
  }

  #save() {
    if (this.#entries.length === 0) sessionStorage.removeItem(this.#key);
    else sessionStorage.setItem(this.#key, JSON.stringify(this.#entries));
  }
}

/** 128 random bits in hex; `crypto.randomUUID` is missing on pages served without TLS. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
