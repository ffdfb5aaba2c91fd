import { Api } from "../net/api.js";
import { Connection } from "../net/connection.js";
import { Emitter } from "../net/emitter.js";
import { Directory } from "./directory.js";
import { directRoomId } from "./identity.js";
import { Joiner } from "./joiner.js";
import { PeopleFinder } from "./people-finder.js";
import { Presence } from "./presence.js";
import { Room } from "./room.js";
import { Sender } from "./sender.js";
import { Signals } from "./signals.js";
import { wireEvents } from "./wire-events.js";

const olderPage = 50;
/** Most rooms that are joined by themselves, the most lately active; the others are when they are opened. */
const mostRoomsJoined = 50;

/**
 * Everything the page knows, and what it can do. Fires
 *   connection (its state) · session · rooms · room (one that changed) · message {room, message} of others, live ·
 *   resumed {missed, isPartial} · resynced (a room) · notice (a sentence) · expiring · presence
 */
export class Chat extends Emitter {
  rooms = new Map();
  active = null;
  directory = new Directory();
  #left = new Set();
  #resumed = { missed: 0, isPartial: false };
  #sessions = 0;
  #isRefreshing = false;

  constructor(identity, transportKind) {
    super();
    this.identity = identity;
    this.api = new Api(identity);
    this.connection = new Connection(identity, transportKind);
    this.finder = new PeopleFinder(this.connection);
    this.connection.on("state", (state) => this.#stateChanged(state));
    this.connection.on("session", (session) => this.#resume(session));
    this.connection.on("event", ({ event, data }) => this.#receive(event, data ?? {}));
  }

  get me() {
    return this.identity.userId;
  }

  get unreadTotal() {
    let total = 0;
    for (const room of this.rooms.values()) total += room.unread;
    return total;
  }

  start() {
    this.connection.start();
  }

  stop() {
    this.sender?.stop();
    this.connection.stop();
  }

  // Rooms

  async open(roomId) {
    const room = this.room(roomId);
    this.#left.delete(roomId);
    if (this.active && this.active !== room) this.#leaveView(this.active);
    this.active = room;
    room.dividerSeq = room.unread > 0 ? room.lastReadSeq : null;
    this.fire("rooms");
    this.fire("room", room);
    if (!room.isJoined && this.connection.isOnline) await this.join(room);
    return room;
  }

  /** The ids of the people meant by names or ids. */
  async find(texts) {
    const people = await this.finder.find(texts);
    this.directory.learn(people);
    return people.map(({ userId }) => userId);
  }

  async startDirect(userId) {
    const roomId = directRoomId(this.me, userId);
    const answer = await this.api.createRoom({ type: "direct", participants: [this.me, userId] });
    this.#invite([userId], roomId);
    return this.open(answer.roomId ?? roomId);
  }

  async createPrivate(roomId, name, participants) {
    const people = [this.me, ...participants];
    const created = await this.api.createRoom({ type: "group", roomId, name, private: true, participants: people });
    this.room(roomId).applySummary(created, this.me);
    this.#invite(participants, roomId);
    return this.open(roomId);
  }

  /** Tells pages that are open now to look at their rooms; the others find the room when they come. */
  #invite(userIds, roomId) {
    const recipientIds = [...new Set(userIds)].filter((userId) => userId !== this.me);
    if (recipientIds.length === 0) return;
    const message = `${this.identity.username} opened a chat with you.`;
    this.connection.emit("send_message", { recipientIds, message, metadata: { roomId } }).catch(() => {});
  }

  /** A group is left for good; a direct chat goes out of sight until it is opened again. */
  leave(room) {
    this.#left.add(room.id);
    this.rooms.delete(room.id);
    if (this.active === room) this.active = null;
    if (room.isJoined) this.connection.emit("leave_room", { roomId: room.id }).catch(() => {});
    if (!room.isDirect && !room.error) this.api.leaveRoom(room.id).catch((error) => this.#notice("Leaving failed", error));
    room.forgetLiveState();
    this.fire("rooms");
  }

  async loadOlder(room) {
    const { timeline } = room;
    if (room.isLoadingOlder || timeline.isComplete || !timeline.isPrimed) return;
    room.isLoadingOlder = true;
    this.fire("room", room);
    const before = timeline.firstSeq;
    try {
      const { messages, hasMore } = await this.api.history(room.id, { before, limit: olderPage });
      if (timeline.firstSeq === before) this.directory.learn(timeline.prepend(messages, hasMore));
    } finally {
      room.isLoadingOlder = false;
      this.fire("room", room);
    }
  }

  /** Lists the user's rooms, those others have added too; gives the ones that are to be joined. */
  async refreshRooms() {
    const rooms = [];
    for (const summary of await this.api.rooms()) {
      const id = summary.roomId;
      if (this.#left.has(id) && !(summary.type === "direct" && summary.unread > 0)) continue;
      this.#left.delete(id);
      const room = this.room(id);
      if (!room.isJoined) room.applySummary(summary, this.me);
      rooms.push(room);
    }
    this.fire("rooms");
    return rooms.slice(0, mostRoomsJoined);
  }

  async pollRooms() {
    if (!this.connection.isOnline || this.#isRefreshing) return;
    this.#isRefreshing = true;
    try {
      for (const room of await this.refreshRooms()) if (!room.isJoined && !room.error) this.join(room);
    } finally {
      this.#isRefreshing = false;
    }
  }

  // Messages and signals

  send(room, text) {
    room.dividerSeq = null;
    this.signals.sent(room);
    const canSendNow = this.connection.isOnline && room.isJoined;
    if (!this.sender.send(room.id, text, canSendNow)) this.fire("notice", "Too many messages are waiting to be sent.");
    this.fire("room", room);
  }

  retry(entry) {
    this.sender.retry(entry);
    this.connection.retryNow();
  }

  markRead(room) {
    const seq = room.timeline.lastSeq;
    if (seq <= room.lastReadSeq && room.unread === 0) return;
    room.unread = 0;
    if (seq > room.lastReadSeq) {
      room.lastReadSeq = seq;
      this.signals.read(room, seq);
    }
    this.fire("rooms");
  }

  /** The room's messages that are on their way. */
  pending(room) {
    return this.sender?.pending(room.id) ?? [];
  }

  /** The room of that id, made known if it was not. */
  room(id) {
    if (!this.rooms.has(id)) this.rooms.set(id, new Room(id));
    return this.rooms.get(id);
  }

  wasLeft(roomId) {
    return this.#left.has(roomId);
  }

  // What happens on the wire

  #stateChanged(state) {
    if (state.name !== "online") for (const room of this.rooms.values()) room.forgetLiveState();
    this.fire("connection", state);
    if (this.active) this.fire("room", this.active);
  }

  async #resume(session) {
    const isFirst = this.#sessions++ === 0;
    this.#resumed = { missed: 0, isPartial: false };
    if (isFirst) this.#begin(session);
    this.joiner?.abandon();
    this.joiner = new Joiner(this.connection, (room, result) => this.#joined(room, result));
    this.fire("session", session);
    this.presence.resume();
    if (this.active) await this.join(this.active);
    const listed = await this.refreshRooms().catch((error) => this.#notice("Your rooms could not be loaded", error));
    const due = new Set([...(listed ?? []), ...this.sender.roomIds.map((roomId) => this.room(roomId))]);
    for (const room of this.rooms.values()) if (room.timeline.isPrimed) due.add(room);
    await Promise.all([...due].filter((room) => !room.isJoined).map((room) => this.join(room)));
    this.signals.resume();
    if (!isFirst && this.connection.isOnline) this.fire("resumed", this.#resumed);
  }

  #begin({ userId, username }) {
    Object.assign(this.identity, { userId, username: username ?? userId });
    this.directory.learn([this.identity]);
    this.presence = new Presence(this.connection, userId);
    this.presence.on("change", () => this.fire("presence"));
    this.signals = new Signals(this.connection);
    this.sender = new Sender(this.connection, userId, {
      changed: (roomId) => this.#changed(roomId),
      rejoin: (roomId) => this.join(this.room(roomId)),
      missing: (roomId, seq) => this.#catchUp(this.room(roomId), seq),
      lastSeq: (roomId) => this.room(roomId).timeline.lastSeq,
    });
  }

  /** Joins or resumes, then sends what waits; a refusal is kept on the room. */
  async join(room) {
    try {
      await this.joiner.join(room);
      this.sender.flush(room.id);
      this.presence.watch([...room.people.keys(), room.partner(this.me)].filter(Boolean));
    } catch (error) {
      if (!error.isUnknownOutcome) room.error = error;
    }
    this.fire("room", room);
    this.fire("rooms");
  }

  #joined(room, { added, replaced, isFirst }) {
    this.absorb(room, added, isFirst);
    if (!isFirst) this.#resumed.missed += added.filter((message) => message.userId !== this.me).length;
    if (!replaced) return;
    this.#resumed.isPartial = true;
    this.fire("resynced", room);
  }

  #catchUp(room, seq) {
    if (this.connection.isOnline && room.timeline.lastSeq < seq) this.join(room);
  }

  #receive(event, data) {
    const handler = wireEvents[event];
    if (handler) handler(this, data);
    else this.presence?.receive(event, data);
  }

  /** Messages that just took their place in a room's timeline. */
  absorb(room, messages, isFirst = false) {
    this.directory.learn(messages);
    if (room !== this.active) room.timeline.trim();
    for (const message of messages) {
      this.sender.settle(message);
      room.showPreview(message);
      room.setTyping(message.userId, false);
      if (isFirst) continue;
      // Whoever writes, here or elsewhere, has read what came before.
      if (message.userId === this.me) room.unread = 0;
      else if (message.seq > room.lastReadSeq) this.#countUnread(room);
    }
    this.fire("room", room);
    this.fire("rooms");
  }

  #countUnread(room) {
    const isWatched = room === this.active && document.visibilityState === "visible";
    if (room.unread === 0 && room === this.active && !isWatched) room.dividerSeq = room.lastReadSeq;
    room.unread += 1;
  }

  #leaveView(room) {
    this.signals?.typing(room, false);
    room.dividerSeq = null;
    room.timeline.trim();
  }

  #notice(what, error) {
    this.fire("notice", `${what}: ${error.message}`);
  }

  #changed(roomId) {
    const room = this.rooms.get(roomId);
    if (room) this.fire("room", room);
  }
}
