/** Messages in the order of their numbers, found by number and by id. Numbers of changes are missing in it. */
export class Run {
  messages = [];
  #seqById = new Map();

  get firstSeq() {
    return this.messages[0]?.seq ?? null;
  }

  get newestSeq() {
    return this.messages.at(-1)?.seq ?? 0;
  }

  find(messageId) {
    return this.messages[this.#indexOf(messageId)];
  }

  append(messages) {
    this.messages = [...this.messages, ...messages];
    this.#note(messages);
  }

  /** Adds one message in place, without a copy of the list. */
  push(message) {
    this.messages.push(message);
    this.#note([message]);
  }

  prepend(messages) {
    this.messages = [...messages, ...this.messages];
    this.#note(messages);
  }

  /** Puts what `make` returns in the message's place. Does nothing when the message is not here. */
  replace(messageId, make) {
    const at = this.#indexOf(messageId);
    if (at >= 0) this.messages[at] = make(this.messages[at]);
  }

  /** Keeps the newest, or the oldest where the bound is negative. */
  keep(count) {
    this.messages = count < 0 ? this.messages.slice(0, -count) : this.messages.slice(-count);
    this.#seqById.clear();
    this.#note(this.messages);
  }

  clear() {
    this.messages = [];
    this.#seqById.clear();
  }

  #note(messages) {
    for (const { messageId, seq } of messages) this.#seqById.set(messageId, seq);
  }

  #indexOf(messageId) {
    const seq = this.#seqById.get(messageId);
    if (seq === undefined) return -1;
    let [low, high] = [0, this.messages.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.messages[middle].seq < seq) low = middle + 1;
      else high = middle;
    }
    return this.messages[low]?.seq === seq ? low : -1;
  }
}
