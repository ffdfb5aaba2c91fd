import { changed, withReply } from "./changes.js";
import { Run } from "./run.js";

/** Most messages kept of a room while it is not open; history has the older ones. */
const mostKept = 600;
/** Most entries held back while a hole before them is filled. */
const mostHeld = 500;

/**
 * The newest part of one room's log, number by number. An entry of the log is `{seq, message}` or `{seq, change}`.
 *
 * Its methods change only itself. They return what took its place, and whether something before it is missing.
 */
export class Timeline {
  lastSeq = 0;
  /** True when nothing older than the first message exists. */
  isComplete = false;
  /** False until the first history came. Live entries are held until then. */
  isPrimed = false;
  #run = new Run();
  #held = new Map();
  #wasReset = false;

  get messages() {
    return this.#run.messages;
  }

  get firstSeq() {
    return this.#run.firstSeq ?? this.lastSeq + 1;
  }

  /** The number of the newest message; numbers of changes may be above it. */
  get newestSeq() {
    return this.#run.newestSeq;
  }

  has(seq) {
    return seq >= this.firstSeq && seq <= this.lastSeq;
  }

  find(messageId) {
    return this.#run.find(messageId);
  }

  /** Takes a live entry. `hole` says that something before it is missing; the entry is held then. */
  receive(entry) {
    if (this.isPrimed && entry.seq <= this.lastSeq) return nothing();
    if (this.isPrimed && entry.seq === this.lastSeq + 1) return this.#release(this.#take(entry, nothing()));
    if (this.#held.size < mostHeld) this.#held.set(entry.seq, entry);
    return { ...nothing(), hole: this.isPrimed };
  }

  /**
   * Takes the answer to a join: messages, oldest first; `changes`, earlier messages that have changed since; `lastSeq`, up to which
   * nothing is missing. The answer is complete: a number that is still missing is no message. `resync` says that the answer does
   * not follow on what was here, which is dropped.
   */
  applyJoin({ messages: page, changes = [], lastSeq = 0, resync = false }) {
    const replaced = this.#wasReset || (this.isPrimed && resync);
    this.isPrimed = true;
    this.#wasReset = false;
    if (replaced) this.#clear();
    const added = page.filter((message) => message.seq > this.lastSeq || this.messages.length === 0);
    this.#run.append(added);
    for (const message of changes) this.#run.replace(message.messageId, () => message);
    // A message that was only answered is not among the changes.
    for (const message of added) this.#noteReply(message);
    this.lastSeq = Math.max(this.lastSeq, lastSeq, this.#run.newestSeq);
    if (this.firstSeq === 1) this.isComplete = true;
    const outcome = this.#release({ ...nothing(), added });
    return { ...outcome, replaced };
  }

  /** Adds older messages, which must end right before the first one here. */
  prepend(page, hasMore) {
    const older = page.filter((message) => message.seq < this.firstSeq);
    this.#run.prepend(older);
    this.isComplete = !hasMore || this.firstSeq === 1;
    return older;
  }

  /** Puts what `make` returns in the message's place. */
  replace(messageId, make) {
    this.#run.replace(messageId, make);
  }

  /** Drops everything. The next join begins anew. */
  reset() {
    this.#clear();
    this.#wasReset = this.isPrimed;
    this.isPrimed = false;
  }

  /** Drops the oldest past the bound, some at a time. */
  trim() {
    if (this.messages.length <= mostKept * 1.2) return;
    this.#run.keep(mostKept);
    this.isComplete = false;
  }

  #clear() {
    this.#run.clear();
    this.lastSeq = 0;
    this.isComplete = false;
  }

  #take({ seq, message, change }, outcome) {
    this.lastSeq = seq;
    if (message) {
      this.#run.push(message);
      this.#noteReply(message);
      outcome.added.push(message);
    } else {
      const before = this.find(change.messageId);
      this.#run.replace(change.messageId, (known) => changed(known, change));
      outcome.changes.push({ change, before });
    }
    return outcome;
  }

  #noteReply(message) {
    if (message.replyTo) this.#run.replace(message.replyTo, (answered) => withReply(answered, message));
  }

  #release(outcome) {
    for (const seq of [...this.#held.keys()].sort((a, b) => a - b)) {
      if (seq > this.lastSeq + 1) break;
      const entry = this.#held.get(seq);
      this.#held.delete(seq);
      if (seq > this.lastSeq) this.#take(entry, outcome);
    }
    return outcome;
  }
}

const nothing = () => ({ added: [], changes: [], hole: false });
