import { Thread } from "./thread.js";

/** The thread that is open, if any, and what the room's news means to it. */
export class Threads {
  current = null;
  #api;
  #features;
  #directory;
  #onChange;

  constructor(api, features, directory, onChange) {
    this.#api = api;
    this.#features = features;
    this.#directory = directory;
    this.#onChange = onChange;
  }

  open(room, messageId) {
    this.current = new Thread(this.#api, room, messageId);
    this.more();
  }

  close() {
    this.current = null;
  }

  /** Loads the answers that are not here yet; one that fails shows in the thread's state. */
  async more() {
    const thread = this.current;
    const loading = this.#features.attempt("threads", () => thread.load());
    this.#onChange();
    await loading.catch(() => {});
    this.#directory.learn(thread.replies);
    this.#onChange();
  }

  absorb(room, { added, changes }) {
    if (this.current?.room === room && this.current.absorb(added, changes)) this.#onChange();
  }

  /** Something of the room looks different. */
  roomChanged(room) {
    if (this.current?.room === room) this.#onChange();
  }
}
