import { Emitter } from "../connection/emitter.js";
import { RequestError } from "../protocol/errors.js";
import { changeKinds } from "./changes.js";
import { Joiner } from "./joiner.js";
import { Missed } from "./missed.js";
import { Room } from "./room.js";

/**
 * The rooms of one user: joined, resumed, and kept up to date by the server's events. Fires
 *   room (one of which something changed)
 *   resync (a room)                          its messages were dropped; the next news do not follow on what was there before
 *   news {room, added, changes, isJoin, isFirst, replaced}  messages and changes took their places
 *   person {room, userId, username, isHere}  a user came or left
 *   typing {room, userId, username, isTyping}
 *   read {room, userId, seq}                 a user has read up to the number
 *   closed (a room)                          the server put the user out of it
 */
export class RoomFeed extends Emitter {
  #connection;
  #makeRoom;
  #me = null;
  #rooms = new Map();
  #joiner = null;
  /** Rooms of a recovered session, while what they missed is coming. */
  #missed = new Map();
  /** The rooms of the connection before. */
  #wereJoined = [];
  /** The last `room_users`, which does not name its room: the next `room_state` does. */
  #users = [];

  /** @param {(id: string) => Room} makeRoom for an application's own subclass */
  constructor(connection, makeRoom = (id) => new Room(id)) {
    super();
    this.#connection = connection;
    this.#makeRoom = makeRoom;
  }

  get all() {
    return [...this.#rooms.values()];
  }

  known(id) {
    return this.#rooms.get(id);
  }

  /** The room of that id, made known if it was not. */
  get(id) {
    if (!this.#rooms.has(id)) this.#rooms.set(id, this.#makeRoom(id));
    return this.#rooms.get(id);
  }

  forget(room) {
    this.#rooms.delete(room.id);
    room.isWanted = false;
    room.forgetLiveState();
  }

  /** Joins or resumes. A refusal is kept as the room's error, and thrown. */
  async join(room) {
    room.isWanted = true;
    try {
      if (!this.#joiner) throw RequestError.connectionLost();
      await this.#joiner.join(room);
    } catch (error) {
      if (!error.isUnknownOutcome && error.code !== "left") room.error = error;
      if (!error.retryable) room.isWanted = false;
      throw error;
    } finally {
      this.fire("room", room);
    }
  }

  /** The server had a newer number than was received here; what is missing is fetched. */
  catchUp(room, seq) {
    if (this.#connection.isOnline && room.timeline.isPrimed && room.timeline.lastSeq < seq) this.#repair(room);
  }

  // The session

  /** A session began. In a recovered one the rooms are joined already; in another one the caller joins them. */
  began(me, isRecovered) {
    this.#me = me;
    this.#joiner?.abandon();
    this.#joiner = new Joiner(this.#connection, (room, outcome) => this.#joined(room, outcome));
    this.#missed.clear();
    if (!isRecovered) return;
    for (const room of this.#wereJoined) this.#missed.set(room, new Missed());
    for (const room of this.#wereJoined) room.isJoined = true;
  }

  /** The connection ended; further states of the reconnect change nothing. */
  ended() {
    if (!this.#joiner) return;
    this.#joiner.abandon();
    this.#joiner = null;
    this.#wereJoined = this.all.filter((room) => room.isJoined || this.#missed.has(room));
    for (const room of this.all) room.forgetLiveState();
  }

  // Events

  /** Whether the event was one of rooms. */
  receive(event, data) {
    if (event === "room_users" && Array.isArray(data)) this.#users = data;
    const handler = this.#handlers[event];
    const room = handler && this.known(data?.roomId);
    if (room) handler(room, data);
    return Boolean(room);
  }

  #handlers = {
    new_message: (room, message) => this.#take(room, { seq: message.seq, message }),
    message_changes: (room, data) => this.#missed.get(room)?.noteChanges(data),
    room_state: (room, data) => this.#noteState(room, data),
    user_joined: (room, { userId, username }) => this.#notePerson(room, { userId, username }, true),
    user_left: (room, { userId, username }) => this.#notePerson(room, { userId, username }, false),
    user_typing: (room, { userId, username, isTyping }) => {
      if (userId === this.#me) return;
      room.typing.set(userId, isTyping, () => this.fire("room", room));
      this.fire("room", room);
      this.fire("typing", { room, userId, username, isTyping });
    },
    message_read: (room, { userId, seq }) => {
      if (userId === this.#me) room.readElsewhere(seq, this.#me);
      else room.noteRead(userId, seq);
      this.fire("room", room);
      this.fire("read", { room, userId, seq });
    },
    resync_required: (room) => {
      // During a join the answer says so.
      if (this.#joiner?.isJoining(room)) return;
      room.timeline.reset();
      this.#repair(room);
    },
    error: (room, { code, message }) => {
      room.error = new RequestError(code, message);
      room.isWanted = false;
      room.forgetLiveState();
      this.fire("closed", room);
      this.fire("room", room);
    },
    ...Object.fromEntries(
      Object.entries(changeKinds).map(([event, kind]) => [
        event,
        (room, data) => this.#take(room, { seq: data.seq, change: { ...data, kind } }),
      ]),
    ),
  };

  /** Puts a live entry in its place. When numbers before it are missing, the room is asked for them. */
  #take(room, entry) {
    const missed = this.#missed.get(room);
    if (missed) return missed.note(entry);
    const outcome = room.timeline.receive(entry);
    if (outcome.added.length > 0 || outcome.changes.length > 0) this.#tell(room, outcome);
    if (outcome.hole) this.#repair(room);
  }

  #noteState(room, { members, online, lastSeq }) {
    room.counts = { members, online };
    const missed = this.#missed.get(room);
    if (missed) {
      this.#missed.delete(room);
      room.setPeople(this.#users);
      const outcome = room.timeline.applyJoin(missed.asJoin(room.timeline.lastSeq));
      this.#tell(room, { ...outcome, isJoin: true, isFirst: false });
      for (const entry of missed.changes) this.#take(room, entry);
      this.catchUp(room, lastSeq);
    }
    this.fire("room", room);
  }

  #notePerson(room, user, isHere) {
    room.setPresent(user, isHere);
    if (!isHere) room.typing.set(user.userId, false);
    this.fire("person", { room, ...user, isHere });
    this.fire("room", room);
  }

  #joined(room, outcome) {
    this.#tell(room, { ...outcome, isJoin: true });
  }

  #tell(room, { added, changes, isJoin = false, isFirst = false, replaced = false }) {
    if (replaced) this.fire("resync", room);
    for (const { userId } of added) room.typing.set(userId, false);
    if (!room.isOpen) room.timeline.trim();
    this.fire("news", { room, added, changes, isJoin, isFirst, replaced });
    this.fire("room", room);
  }

  #repair(room) {
    this.join(room).catch(() => {});
  }
}
