import { Excerpt } from "./excerpt.js";

const pageSize = 50;

/** Reads more of a room than its live end brought: older pages, a place in the past, a single message. */
export class History {
  #api;
  #directory;
  #onChange;
  #lookups = new Map();

  /** @param {(room) => void} onChange a room has more to show */
  constructor(api, directory, onChange) {
    this.#api = api;
    this.#directory = directory;
    this.#onChange = onChange;
  }

  async loadOlder(room) {
    const { shown } = room;
    if (room.isLoading || shown.isComplete || (!room.excerpt && !shown.isPrimed)) return;
    const before = shown.firstSeq;
    await this.#load(room, async () => {
      const { messages, hasMore } = await this.#api.history(room.id, { before, limit: pageSize });
      if (room.shown === shown && shown.firstSeq === before) this.#directory.learn(shown.prepend(messages, hasMore));
    });
  }

  /** Goes on towards the live end; an excerpt that has reached it makes place for it. */
  async loadNewer(room) {
    const { excerpt } = room;
    if (!excerpt || room.isLoading || !room.timeline.isPrimed) return;
    if (!excerpt.hasNewer || excerpt.lastSeq >= room.timeline.firstSeq - 1) return this.#joinUp(room, excerpt);
    await this.#load(room, async () => {
      const { messages, hasMore } = await this.#api.history(room.id, { after: excerpt.lastSeq, limit: pageSize });
      if (room.excerpt === excerpt) this.#directory.learn(excerpt.append(messages, hasMore));
    });
  }

  /** Shows the place of a number; true when the message with it is there. */
  async goTo(room, seq) {
    if (room.timeline.isPrimed && room.timeline.has(seq)) room.excerpt = null;
    else if (!room.excerpt?.has(seq)) {
      await this.#load(room, async () => {
        room.excerpt = new Excerpt(await this.#api.history(room.id, { around: seq, limit: pageSize }));
        this.#directory.learn(room.excerpt.messages);
      });
    }
    this.#onChange(room);
    return room.shown.messages.some((message) => message.seq === seq);
  }

  goToEnd(room) {
    if (!room.excerpt) return;
    room.excerpt = null;
    this.#onChange(room);
  }

  /** Fetches a quoted message that is not among the shown ones; once, and what is not there stays so. */
  lookUp(room, messageId) {
    if (room.find(messageId) !== undefined || this.#lookups.has(messageId)) return;
    const lookup = this.#api
      .message(room.id, messageId)
      .then(
        (message) => room.keepQuote(messageId, message),
        (error) => error.retryable || room.keepQuote(messageId, null),
      )
      .then(() => this.#lookups.delete(messageId))
      .then(() => this.#onChange(room));
    this.#lookups.set(messageId, lookup);
  }

  #joinUp(room, excerpt) {
    room.timeline.prepend(excerpt.messages, excerpt.hasOlder);
    room.excerpt = null;
    this.#onChange(room);
  }

  async #load(room, work) {
    room.isLoading = true;
    this.#onChange(room);
    try {
      await work();
    } finally {
      room.isLoading = false;
      this.#onChange(room);
    }
  }
}
