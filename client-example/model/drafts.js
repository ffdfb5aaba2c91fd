/** Most drafts kept for rooms left in the middle of a sentence; the ones left longest ago go first. */
const mostDrafts = 50;

/** What is written and not sent, by room; it outlives reloads. A draft is `{text, people, replyTo?}`. */
export class Drafts {
  #key;
  #drafts;

  constructor(userId) {
    this.#key = `chat.drafts.${userId}`;
    this.#drafts = new Map(stored(this.#key));
  }

  get(roomId) {
    return this.#drafts.get(roomId);
  }

  set(roomId, draft) {
    this.#drafts.delete(roomId);
    if (draft.text.trim() || draft.replyTo) this.#drafts.set(roomId, draft);
    if (this.#drafts.size > mostDrafts) this.#drafts.delete(this.#drafts.keys().next().value);
    this.#save();
  }

  #save() {
    try {
      if (this.#drafts.size === 0) localStorage.removeItem(this.#key);
      else localStorage.setItem(this.#key, JSON.stringify([...this.#drafts]));
    } catch {
      // The storage is full or forbidden: the drafts of this visit are still here.
    }
  }
}

function stored(key) {
  try {
    const drafts = JSON.parse(localStorage.getItem(key)) ?? [];
    return drafts.filter(([roomId, draft]) => typeof roomId === "string" && typeof draft?.text === "string");
  } catch {
    return [];
  }
}
