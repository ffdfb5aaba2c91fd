import { directRoomId } from "../sdk/index.js";

/** Most rooms that are joined by themselves, the most lately active; the others are when they are opened. */
const mostRoomsJoined = 50;

/** The rooms this user has, and how more come to be. */
export class Rooms {
  /** The newest number seen of each room that was left. */
  #left = new Map();
  #client;

  constructor(client) {
    this.#client = client;
  }

  get all() {
    return this.#client.rooms;
  }

  get unread() {
    return this.all.reduce((total, room) => total + room.unread, 0);
  }

  known(id) {
    return this.#client.known(id);
  }

  /** The room of that id, made known if it was not. */
  get(id) {
    return this.#client.room(id);
  }

  /** The room with this user; it is made if it is not there. */
  async direct(userId) {
    const { me } = this.#client;
    const answer = await this.#client.api.createRoom({ type: "direct", participants: [me, userId] });
    return answer.roomId ?? directRoomId(me, userId);
  }

  async createPrivate(roomId, name, userIds) {
    const participants = [this.#client.me, ...userIds];
    const summary = await this.#client.api.createRoom({ type: "group", roomId, name, private: true, participants });
    this.get(roomId).applySummary(summary, this.#client.me);
  }

  /** A group is left for good; a direct chat goes out of sight until it is opened again. */
  async leave(room) {
    this.#left.set(room.id, room.timeline.newestSeq);
    this.#client.leave(room.id);
    if (!room.isDirect && !room.error) await this.#client.api.leaveRoom(room.id);
  }

  /** The user came back to it. */
  reopen(id) {
    this.#left.delete(id);
  }

  /** Lists the user's rooms, those others have added too; gives the ones that are to be joined. */
  async refresh() {
    const rooms = [];
    for (const summary of await this.#client.api.rooms()) {
      const id = summary.roomId;
      if (this.#left.has(id) && !this.#isBack(summary)) continue;
      this.#left.delete(id);
      const room = this.get(id);
      room.applySummary(summary, this.#client.me);
      rooms.push(room);
    }
    return rooms.slice(0, mostRoomsJoined);
  }

  /**
   * A direct chat comes back with a message that came after it was closed. A list that was made before the server knew how far the
   * user has read counts the earlier messages as unread.
   */
  #isBack({ roomId, type, unread, lastReadSeq, lastMessage }) {
    const seenSeq = this.#left.get(roomId);
    return type === "direct" && unread > 0 && (lastReadSeq >= seenSeq || (lastMessage?.seq ?? 0) > seenSeq);
  }
}
