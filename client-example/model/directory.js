/** Most names remembered; the ones learned first go first. */
const mostNames = 5_000;

/** Display names by user id, learned from whatever carries one. */
export class Directory {
  #names = new Map();

  learn(people) {
    for (const { userId, username } of people) {
      if (!username || this.#names.get(userId) === username) continue;
      if (this.#names.size >= mostNames) this.#names.delete(this.#names.keys().next().value);
      this.#names.set(userId, username);
    }
  }

  nameOf(userId) {
    return this.#names.get(userId) ?? userId;
  }
}
