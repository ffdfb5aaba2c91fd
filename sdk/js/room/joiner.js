import { RequestError } from "../protocol/errors.js";

const pageSize = 50;

/** One session's joins, one after another, so that the first room does not wait for fifty others. */
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

  /** The session is gone: answers that still come are ignored. */
  abandon() {
    this.#isAbandoned = true;
  }

  async #run(room) {
    // Live messages may move the timeline on before the answer is taken.
    const { lastSeq } = room.timeline;
    let answer = await this.#ask(room);
    if (answer.lastSeq < lastSeq) {
      // The server numbers lower than what was seen: its store was reset, so the timeline is reset too.
      room.timeline.reset();
      answer = await this.#ask(room);
    }
    const isFirst = !room.timeline.isPrimed;
    const outcome = room.timeline.applyJoin(answer);
    if (!room.isWanted) {
      // The room was left during the join, and the server has the user in it now.
      this.#connection.emit("leave_room", { roomId: room.id }).catch(() => {});
      throw RequestError.left();
    }
    room.joined(answer);
    this.#onJoined(room, { ...outcome, isFirst });
  }

  async #ask(room) {
    if (this.#isAbandoned) throw RequestError.connectionLost();
    if (!room.isWanted) throw RequestError.left();
    const { timeline } = room;
    const from = timeline.isPrimed ? { since: timeline.lastSeq } : { limit: pageSize };
    const answer = await this.#connection.emit("join_room", { roomId: room.id, ...from });
    if (this.#isAbandoned) throw RequestError.connectionLost();
    return answer;
  }
}
