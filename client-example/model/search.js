const pageSize = 20;

/** A search over messages: of one room, or of all that the user may read. */
export class Search {
  results = [];
  query = "";
  /** `idle`, `running`, `done` or `failed`. */
  state = "idle";
  #api;
  #cursor = null;
  #run = 0;

  constructor(api) {
    this.#api = api;
  }

  get hasMore() {
    return Boolean(this.#cursor);
  }

  /** Searches afresh; an answer that is late for its question is dropped. */
  async find(query, roomId) {
    this.query = query.trim();
    this.scope = roomId;
    this.results = [];
    this.#cursor = null;
    if (this.query === "") {
      this.#run += 1;
      this.state = "idle";
    } else {
      await this.#page();
    }
  }

  async more() {
    if (this.#cursor) await this.#page();
  }

  async #page() {
    const run = ++this.#run;
    this.state = "running";
    try {
      const query = { q: this.query, roomId: this.scope, before: this.#cursor ?? undefined, limit: pageSize };
      const { results, cursor } = await this.#api.search(query);
      if (run !== this.#run) return;
      this.results = [...this.results, ...results];
      this.#cursor = cursor ?? null;
      this.state = "done";
    } catch (error) {
      if (run === this.#run) this.state = "failed";
      throw error;
    }
  }
}
