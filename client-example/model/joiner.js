import { RequestError } from "../net/request-error.js";

const pageSize = 50;
/** How long after its answer a join's `room_state` may take, in milliseconds. */
const stateTimeout = 3_000;

/**
 * One connection's joins, one after another. `message_history` and `room_users` do not name their room, so only one join may be
 * under way for them to belong to.
 */
export class Joiner {
  #connection;
  #onHistory;
  #current = null;
  #queue = Promise.resolve();
  #joins = new Map();
  #isAbandoned = false;

  /** @param {(room, {added, replaced, isFirst}) => void} onHistory what a join brought */
  constructor(connection, onHistory) {
    this.#connection = connection;
    this.#onHistory = onHistory;
  }

  /** Joins, or resumes after the last message seen. Rejects with the server's refusal. */
  join(room) {
    if (this.#joins.has(room)) return this.#joins.get(room);
    const join = this.#queue.then(() => this.#run(room)).finally(() => this.#joins.delete(room));
    this.#joins.set(room, join);
    this.#queue = join.catch(() => {});
    return join;
  }

  /** The connection is gone: what is still under way counts for nothing. */
  abandon() {
    this.#isAbandoned = true;
  }

  history(data) {
    const page = Array.isArray(data) ? data : (data?.messages ?? []);
    const join = this.#current;
    if (!join || (page[0] && page[0].roomId !== join.room.id)) return;
    const isFirst = !join.room.timeline.isPrimed;
    const { added, replaced } = join.room.timeline.applyJoin(page, { replace: join.mustReplace });
    this.#onHistory(join.room, { added, replaced, isFirst });
  }

  people(data) {
    const users = Array.isArray(data) ? data : (data?.users ?? []);
    this.#current?.room.setPeople(users);
  }

  /** True when this `room_state` belongs to the join under way. */
  state(data) {
    if (this.#current?.room.id !== data.roomId) return false;
    this.#current.stateCame(data);
    return true;
  }

  /** True when the coming history of the join under way replaces what is here. */
  resync(roomId) {
    if (this.#current?.room.id !== roomId) return false;
    this.#current.mustReplace = true;
    return true;
  }

  async #run(room) {
    const state = await this.#exchange(room);
    if (state && state.lastSeq < room.timeline.lastSeq) {
      // The server numbers lower than what was seen: its store was reset, and so is the memory of it.
      room.timeline.reset();
      await this.#exchange(room);
    }
    room.isJoined = true;
    room.error = null;
  }

  async #exchange(room) {
    const { timeline } = room;
    const from = timeline.isPrimed ? { since: timeline.lastSeq } : { limit: pageSize };
    const join = { room, mustReplace: false };
    const state = new Promise((resolve) => (join.stateCame = resolve));
    this.#current = join;
    try {
      await this.#connection.emit("join_room", { roomId: room.id, ...from });
      const answer = await Promise.race([state, new Promise((resolve) => setTimeout(resolve, stateTimeout))]);
      if (this.#isAbandoned) throw RequestError.connectionLost();
      return answer;
    } finally {
      this.#current = null;
    }
  }
}
