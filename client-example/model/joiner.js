import { RequestError } from "../net/request-error.js";

const pageSize = 50;

/** One connection's joins, one after another, so that the room the user looks at does not wait for fifty others. */
export class Joiner {
  #connection;
  #onJoined;
  #queue = Promise.resolve();
  #joins = new Map();
  #isAbandoned = false;

  /** @param {(room, {added, changes, replaced, isFirst}) => void} onJoined what a join brought */
  constructor(connection, onJoined) {
    this.#connection = connection;
    this.#onJoined = onJoined;
  }

  /** Joins, or resumes after the last number seen. Rejects with the server's refusal. */
  join(room) {
    if (this.#joins.has(room)) return this.#joins.get(room);
    const join = this.#queue.then(() => this.#run(room)).finally(() => this.#joins.delete(room));
    this.#joins.set(room, join);
    this.#queue = join.catch(() => {});
    return join;
  }

  isJoining(room) {
    return this.#joins.has(room);
  }

  /** The connection is gone: what is still under way counts for nothing. */
  abandon() {
    this.#isAbandoned = true;
  }

  async #run(room) {
    let answer = await this.#ask(room);
    if (answer.lastSeq < room.timeline.lastSeq) {
      // The server numbers lower than what was seen: its store was reset, and so is the memory of it.
      room.timeline.reset();
      answer = await this.#ask(room);
    }
    const isFirst = !room.timeline.isPrimed;
    const outcome = room.timeline.applyJoin(answer);
    room.setPeople(answer.users ?? []);
    room.counts = { members: answer.members, online: answer.online };
    for (const { userId, seq } of answer.readMarks ?? []) room.noteRead(userId, seq);
    room.isJoined = true;
    room.error = null;
    this.#onJoined(room, { ...outcome, isFirst });
  }

  async #ask(room) {
    const { timeline } = room;
    const from = timeline.isPrimed ? { since: timeline.lastSeq } : { limit: pageSize };
    const answer = await this.#connection.emit("join_room", { roomId: room.id, ...from });
    if (this.#isAbandoned) throw RequestError.connectionLost();
    return answer;
  }
}
