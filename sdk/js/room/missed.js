/**
 * What a recovered session (connection state recovery) is sent of one room before its `room_state`: the messages that it missed, and
 * earlier messages that changed. Numbers of changes are missing among them, so they are applied together, like the answer to a join.
 */
export class Missed {
  /** Changes that came live meanwhile. */
  changes = [];
  #messages = [];
  #changed = [];
  #lastSeq = 0;

  /** A message, missed or live, or a live change. */
  note(entry) {
    if (entry.change) return this.changes.push(entry);
    this.#messages.push(entry.message);
    this.#lastSeq = Math.max(this.#lastSeq, entry.seq, entry.message.changeSeq ?? 0);
  }

  /** A `message_changes` event. */
  noteChanges({ messages = [], lastSeq = 0 }) {
    this.#changed.push(...messages);
    this.#lastSeq = Math.max(this.#lastSeq, lastSeq);
  }

  /** @param {number} known the last number that was received before */
  asJoin(known) {
    return { messages: this.#messages, changes: this.#changed, lastSeq: Math.max(known, this.#lastSeq) };
  }
}
