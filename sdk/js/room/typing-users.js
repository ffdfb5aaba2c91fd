/** The server ends typing after 6 s; this covers a lost event, in milliseconds. */
const typingLasts = 8_000;
/** Most users shown typing at once. */
const mostTyping = 50;

/** The users that type in a room now. */
export class TypingUsers {
  #timers = new Map();

  get userIds() {
    return [...this.#timers.keys()];
  }

  /** @param {() => void} onEnd is called when typing ends without an event */
  set(userId, isTyping, onEnd) {
    clearTimeout(this.#timers.get(userId));
    this.#timers.delete(userId);
    if (!isTyping || this.#timers.size >= mostTyping) return;
    const end = () => this.#timers.delete(userId) && onEnd();
    this.#timers.set(userId, setTimeout(end, typingLasts));
  }

  clear() {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }
}
