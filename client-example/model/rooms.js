import { directRoomId } from "./identity.js";
import { Room } from "./room.js";

/** Most rooms that are joined by themselves, the most lately active; the others are when they are opened. */
const mostRoomsJoined = 50;

/** The rooms this user has, and how more come to be. */
export class Rooms {
  #byId = new Map();
  #left = new Set();
  #api;
  #identity;

  constructor(api, identity) {
    this.#api = api;
    this.#identity = identity;
  }

  get all() {
    return [...this.#byId.values()];
  }

  get unread() {
    return this.all.reduce((total, room) => total + room.unread, 0);
  }

  known(id) {
    return this.#byId.get(id);
  }

  /** The room of that id, made known if it was not. */
  get(id) {
    if (!this.#byId.has(id)) this.#byId.set(id, new Room(id));
    return this.#byId.get(id);
  }

  /** The room with this user; it is made if it is not there. */
  async direct(userId) {
    const { userId: me } = this.#identity;
    const answer = await this.#api.createRoom({ type: "direct", participants: [me, userId] });
    return answer.roomId ?? directRoomId(me, userId);
  }

  async createPrivate(roomId, name, userIds) {
    const participants = [this.#identity.userId, ...userIds];
    const summary = await this.#api.createRoom({ type: "group", roomId, name, private: true, participants });
    this.get(roomId).applySummary(summary, this.#identity.userId);
  }

  /** A group is left for good; a direct chat goes out of sight until it is opened again. */
  async leave(room) {
    this.#left.add(room.id);
    this.#byId.delete(room.id);
    room.forgetLiveState();
    if (!room.isDirect && !room.error) await this.#api.leaveRoom(room.id);
  }

  wasLeft(id) {
    return this.#left.has(id);
  }

  /** The user came back to it. */
  reopen(id) {
    this.#left.delete(id);
  }

  /** Lists the user's rooms, those others have added too; gives the ones that are to be joined. */
  async refresh() {
    const rooms = [];
    for (const summary of await this.#api.rooms()) {
      const id = summary.roomId;
      if (this.#left.has(id) && !(summary.type === "direct" && summary.unread > 0)) continue;
      this.#left.delete(id);
      const room = this.get(id);
      room.applySummary(summary, this.#identity.userId);
      rooms.push(room);
    }
    return rooms.slice(0, mostRoomsJoined);
  }
}
