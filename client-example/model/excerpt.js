import { changed, Run, withReply } from "../sdk/index.js";

/** Most messages of an excerpt; past it, what lies furthest from the user's reading goes. */
const mostKept = 1_000;

/** A stretch of a room's past that does not reach its live end yet: where a search result or a quoted message was found. */
export class Excerpt {
  hasOlder;
  hasNewer;
  #run = new Run();

  /** @param page the answer of history with `around` */
  constructor({ messages, hasMoreBefore, hasMoreAfter }) {
    this.#run.append(messages);
    this.hasOlder = hasMoreBefore;
    this.hasNewer = hasMoreAfter;
  }

  get messages() {
    return this.#run.messages;
  }

  get isComplete() {
    return !this.hasOlder;
  }

  get firstSeq() {
    return this.#run.firstSeq ?? 1;
  }

  get lastSeq() {
    return this.#run.newestSeq;
  }

  has(seq) {
    return seq >= this.firstSeq && seq <= this.lastSeq;
  }

  find(messageId) {
    return this.#run.find(messageId);
  }

  prepend(page, hasMore) {
    const older = page.filter((message) => message.seq < this.firstSeq);
    this.#run.prepend(older);
    this.hasOlder = hasMore;
    if (this.messages.length > mostKept) {
      this.#run.keep(-mostKept);
      this.hasNewer = true;
    }
    return older;
  }

  append(page, hasMore) {
    const newer = page.filter((message) => message.seq > this.lastSeq);
    this.#run.append(newer);
    this.hasNewer = hasMore;
    if (this.messages.length > mostKept) {
      this.#run.keep(mostKept);
      this.hasOlder = true;
    }
    return newer;
  }

  /** What the live end heard about a message that is shown here. */
  apply(change) {
    this.#run.replace(change.messageId, (message) => changed(message, change));
  }

  noteReply(reply) {
    this.#run.replace(reply.replyTo, (answered) => withReply(answered, reply));
  }

  replace(messageId, make) {
    this.#run.replace(messageId, make);
  }
}
