/** Most messages kept of a room while no user scrolls in it; older ones come back from history when asked for. */
const mostKept = 600;
/** Most messages held back while a hole before them is being filled. */
const mostHeld = 500;

/**
 * One room's messages: a gapless run of sequence numbers, oldest first.
 *
 * Its methods change only itself and say what the caller has to do.
 */
export class Timeline {
  messages = [];
  lastSeq = 0;
  /** True when nothing older than the first message exists. */
  isComplete = false;
  /** False until the room's first history came: until then live messages are held. */
  isPrimed = false;
  #held = new Map();

  get firstSeq() {
    return this.messages[0]?.seq ?? this.lastSeq + 1;
  }

  has(seq) {
    return seq >= this.firstSeq && seq <= this.lastSeq;
  }

  /** A live message: `{added}` in order, or `{hole: true}` when something before it is missing. */
  receive(message) {
    if (this.isPrimed && message.seq <= this.lastSeq) return { added: [] };
    if (this.isPrimed && message.seq === this.lastSeq + 1) {
      this.#append(message);
      return { added: [message, ...this.#release()] };
    }
    if (this.#held.size < mostHeld) this.#held.set(message.seq, message);
    return { added: [], hole: this.isPrimed };
  }

  /**
   * A page the server sent on joining or resuming, oldest first. It is the truth: what is still missing in it
   * does not exist. `replaced` says that it does not join on to what was here, which is dropped.
   */
  applyJoin(page, { replace = false } = {}) {
    const wasPrimed = this.isPrimed;
    this.isPrimed = true;
    const replaced = wasPrimed && (replace || (page.length > 0 && page[0].seq > this.lastSeq + 1));
    if (replaced) this.#clear();
    const added = page.filter((message) => message.seq > this.lastSeq || this.messages.length === 0);
    for (const message of added) this.#append(message);
    if (this.firstSeq === 1) this.isComplete = true;
    return { added: [...added, ...this.#release()], replaced };
  }

  /** Older messages, which must end right before the first one here. */
  prepend(page, hasMore) {
    const older = page.filter((message) => message.seq < this.firstSeq);
    this.messages = [...older, ...this.messages];
    this.isComplete = !hasMore || this.firstSeq === 1;
    return older;
  }

  /** Forgets everything, so that the next page starts afresh. */
  reset() {
    this.#clear();
    this.isPrimed = false;
  }

  /** Drops the oldest past the bound, some at a time; only while the user does not read them. */
  trim() {
    if (this.messages.length <= mostKept * 1.2) return;
    this.messages = this.messages.slice(-mostKept);
    this.isComplete = false;
  }

  #clear() {
    this.messages = [];
    this.lastSeq = 0;
    this.isComplete = false;
  }

  #append(message) {
    this.messages.push(message);
    this.lastSeq = message.seq;
  }

  #release() {
    const released = [];
    for (const seq of [...this.#held.keys()].sort((a, b) => a - b)) {
      if (seq > this.lastSeq + 1) break;
      const message = this.#held.get(seq);
      this.#held.delete(seq);
      if (seq <= this.lastSeq) continue;
      this.#append(message);
      released.push(message);
    }
    return released;
  }
}
