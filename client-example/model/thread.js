import { changed } from "../sdk/index.js";

const pageSize = 200;

/** The answers to one message. */
export class Thread {
  replies = [];
  state = "loading";
  hasMore = false;
  #api;

  constructor(api, room, rootId) {
    this.#api = api;
    this.room = room;
    this.rootId = rootId;
  }

  get root() {
    return this.room.find(this.rootId);
  }

  async load() {
    this.state = "loading";
    try {
      const after = this.replies.at(-1)?.seq;
      const { messages, hasMore } = await this.#api.replies(this.room.id, this.rootId, { after, limit: pageSize });
      this.#merge(messages);
      this.hasMore = hasMore === true;
      this.state = "loaded";
    } catch (error) {
      this.state = "failed";
      throw error;
    }
  }

  /** Live news of the room; true when they concern this thread. */
  absorb(added, changes) {
    const fresh = added.filter((message) => message.replyTo === this.rootId);
    this.#merge(fresh);
    for (const { change } of changes) {
      const at = this.replies.findIndex((reply) => reply.messageId === change.messageId);
      if (at >= 0) this.replies = this.replies.with(at, changed(this.replies[at], change));
    }
    return fresh.length > 0 || changes.length > 0;
  }

  #merge(messages) {
    const bySeq = new Map([...this.replies, ...messages].map((reply) => [reply.seq, reply]));
    this.replies = [...bySeq.values()].sort((a, b) => a.seq - b.seq);
  }
}
