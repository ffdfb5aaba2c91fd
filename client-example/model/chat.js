import { Api } from "../net/api.js";
import { Connection } from "../net/connection.js";
import { Emitter } from "../net/emitter.js";
import { Attachments } from "./attachments.js";
import { Directory } from "./directory.js";
import { Drafts } from "./drafts.js";
import { Features } from "./features.js";
import { History } from "./history.js";
import { Joiner } from "./joiner.js";
import { MessageActions } from "./message-actions.js";
import { Moderation } from "./moderation.js";
import { PeopleFinder } from "./people-finder.js";
import { Presence } from "./presence.js";
import { Rooms } from "./rooms.js";
import { Sender } from "./sender.js";
import { Signals } from "./signals.js";
import { Threads } from "./threads.js";
import { wireEvents } from "./wire-events.js";

/**
 * Everything the page knows, and what it can do. Fires
 *   connection (its state) · session · rooms · room (one that changed) · message {room, message} of others, live ·
 *   resumed {missed, isPartial} · resynced (a room) · notice (a sentence) · expiring · presence · thread · attachments (a room id) ·
 *   features
 */
export class Chat extends Emitter {
  active = null;
  directory = new Directory();
  features = new Features(() => this.fire("features"));
  #resumed = { missed: 0, isPartial: false };
  #sessions = 0;
  #isRefreshing = false;

  constructor(identity, transportKind) {
    super();
    this.identity = identity;
    this.api = new Api(identity);
    this.rooms = new Rooms(this.api, identity);
    this.connection = new Connection(identity, transportKind);
    this.finder = new PeopleFinder(this.connection, this.api, this.features);
    this.history = new History(this.api, this.directory, (room) => this.fire("room", room));
    this.threads = new Threads(this.api, this.features, this.directory, () => this.fire("thread"));
    this.attachments = new Attachments(this.api, this.features, (roomId) => this.fire("attachments", roomId));
    this.actions = new MessageActions(this.connection, this.features, {
      changed: (room) => this.#changed(room),
      refused: (what, error) => this.#notice(what, error),
      removeNow: (room, messageId) => this.api.removeMessage(room.id, messageId),
    });
    this.connection.on("state", (state) => this.#stateChanged(state));
    this.connection.on("session", (session) => this.#resume(session));
    this.connection.on("event", ({ event, data }) => this.#receive(event, data ?? {}));
  }

  /** The open thread, or null. */
  get thread() {
    return this.threads.current;
  }

  get me() {
    return this.identity.userId;
  }

  start() {
    this.connection.start();
  }

  stop() {
    this.actions.flush();
    this.sender?.stop();
    this.connection.stop();
  }

  // Rooms

  async open(roomId) {
    const room = this.rooms.get(roomId);
    this.rooms.reopen(roomId);
    if (this.active && this.active !== room) this.#leaveView(this.active);
    this.active = room;
    room.dividerSeq = room.unread > 0 ? room.lastReadSeq : null;
    this.fire("rooms");
    this.fire("room", room);
    if (!room.isJoined && this.connection.isOnline) await this.join(room);
    this.moderation?.load(room).catch(() => {});
    return room;
  }

  /** The ids of the people meant by names or ids. */
  async find(texts) {
    const people = await this.finder.find(texts);
    this.directory.learn(people);
    return people.map(({ userId }) => userId);
  }

  /** Makes sure that there is a room with this user; gives its id. */
  async makeDirect(userId) {
    const roomId = await this.rooms.direct(userId);
    this.#invite([userId], roomId);
    return roomId;
  }

  async makePrivate(roomId, name, participants) {
    await this.rooms.createPrivate(roomId, name, participants);
    this.#invite(participants, roomId);
    return roomId;
  }

  async addPeople(room, userIds) {
    for (const userId of userIds) await this.api.addParticipant(room.id, userId);
    this.#invite(userIds, room.id);
  }

  /** Lets pages that are open now look at their rooms; the others find the room when they come. */
  #invite(userIds, roomId) {
    const recipientIds = [...new Set(userIds)].filter((userId) => userId !== this.me);
    if (recipientIds.length === 0) return;
    const message = `${this.identity.username} opened a chat with you.`;
    this.connection.emit("send_message", { recipientIds, message, metadata: { roomId } }).catch(() => {});
  }

  leave(room) {
    if (this.active === room) this.active = null;
    if (room.isJoined) this.connection.emit("leave_room", { roomId: room.id }).catch(() => {});
    this.rooms.leave(room).catch((error) => this.#notice("Leaving failed", error));
    this.fire("rooms");
  }

  /** The server put the user out of a room. */
  close(room, error) {
    room.error = error;
    room.forgetLiveState();
    this.#changed(room);
    this.fire("rooms");
  }

  async change(room, fields) {
    await this.api.changeRoom(room.id, fields);
    await this.#refreshRooms();
    this.fire("room", room);
  }

  async pollRooms() {
    if (!this.connection.isOnline || this.#isRefreshing) return;
    this.#isRefreshing = true;
    try {
      for (const room of await this.#refreshRooms()) if (!room.isJoined && !room.error) this.join(room);
      if (this.active) await this.moderation.load(this.active);
    } finally {
      this.#isRefreshing = false;
    }
  }

  async #refreshRooms() {
    const due = await this.rooms.refresh();
    this.fire("rooms");
    if (this.active) this.fire("room", this.active);
    return due;
  }

  // Messages and signals

  /** @param content {message, mentions?, replyTo?, messageType?, metadata?} */
  send(room, content) {
    room.dividerSeq = null;
    this.signals.sent(room);
    const canSendNow = this.connection.isOnline && room.isJoined;
    if (!this.sender.send(room.id, content, canSendNow)) this.fire("notice", "Too many messages are waiting to be sent.");
    this.#changed(room);
  }

  retry(entry) {
    this.sender.retry(entry);
    this.connection.retryNow();
  }

  markRead(room) {
    const wasUnread = room.unread > 0;
    const seq = room.readAll();
    if (seq !== null) this.signals.read(room, seq);
    if (wasUnread || seq !== null) this.fire("rooms");
  }

  /** The room's messages that are on their way. */
  pending(room) {
    return this.sender?.pending(room.id) ?? [];
  }

  openThread(room, messageId) {
    this.history.lookUp(room, messageId);
    this.threads.open(room, messageId);
  }

  // What happens on the wire

  #stateChanged(state) {
    if (state.name !== "online") for (const room of this.rooms.all) room.forgetLiveState();
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
    const listed = await this.#refreshRooms().catch((error) => this.#notice("Your rooms could not be loaded", error));
    const due = new Set([...(listed ?? []), ...this.sender.roomIds.map((roomId) => this.rooms.get(roomId))]);
    for (const room of this.rooms.all) if (room.timeline.isPrimed) due.add(room);
    await Promise.all([...due].filter((room) => !room.isJoined).map((room) => this.join(room)));
    if (this.active) this.moderation.load(this.active).catch(() => {});
    this.signals.resume();
    if (!isFirst && this.connection.isOnline) this.fire("resumed", this.#resumed);
  }

  #begin({ userId, username }) {
    Object.assign(this.identity, { userId, username: username ?? userId });
    this.directory.learn([this.identity]);
    this.drafts = new Drafts(userId);
    this.moderation = new Moderation(this.api, this.features, userId, (room) => this.#changed(room));
    this.presence = new Presence(this.connection, userId);
    this.presence.on("change", () => this.fire("presence"));
    this.signals = new Signals(this.connection);
    this.sender = new Sender(this.connection, userId, {
      changed: (roomId) => this.#changed(this.rooms.known(roomId)),
      rejoin: (roomId) => this.join(this.rooms.get(roomId)),
      missing: (roomId, seq) => this.#catchUp(this.rooms.get(roomId), seq),
      lastSeq: (roomId) => this.rooms.known(roomId)?.timeline.lastSeq ?? 0,
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

  #joined(room, outcome) {
    this.directory.learn([...room.people.values()]);
    this.absorb(room, outcome, outcome.isFirst);
    if (!outcome.isFirst) this.#resumed.missed += outcome.added.filter((message) => message.userId !== this.me).length;
    if (!outcome.replaced) return;
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

  /** Messages and changes that just took their place in a room's timeline. */
  absorb(room, news, isFirst = false) {
    const { added, changes } = news;
    this.directory.learn(added);
    if (room !== this.active) room.timeline.trim();
    for (const { change, before } of changes) room.applyChange(change, before, this.me);
    for (const message of added) this.#absorbMessage(room, message, isFirst);
    this.threads.absorb(room, news);
    this.#changed(room);
    this.fire("rooms");
  }

  #absorbMessage(room, message, isFirst) {
    this.sender.didStore(message);
    room.showPreview(message);
    room.typing.set(message.userId, false);
    if (isFirst) return;
    if (message.replyTo) room.excerpt?.noteReply(message);
    // The author of a message, here or elsewhere, has read what came before.
    if (message.userId === this.me) Object.assign(room, { unread: 0, mentions: 0 });
    else if (message.seq > room.lastReadSeq && !message.deleted) this.#countUnread(room, message);
  }

  #countUnread(room, message) {
    const isWatched = room === this.active && document.visibilityState === "visible";
    if (room.unread === 0 && room === this.active && !isWatched) room.dividerSeq = room.lastReadSeq;
    room.countUnread(message, this.me);
  }

  #leaveView(room) {
    this.signals?.typing(room, false);
    room.dividerSeq = null;
    room.excerpt = null;
    room.timeline.trim();
  }

  #notice(what, error) {
    this.fire("notice", `${what}: ${error.message}`);
  }

  #changed(room) {
    if (!room) return;
    this.fire("room", room);
    this.threads.roomChanged(room);
  }
}
