import { ChatClient, Emitter } from "../sdk/index.js";
import { Attachments } from "./attachments.js";
import { Directory } from "./directory.js";
import { Drafts } from "./drafts.js";
import { Features } from "./features.js";
import { History } from "./history.js";
import { MessageActions } from "./message-actions.js";
import { Moderation } from "./moderation.js";
import { PeopleFinder } from "./people-finder.js";
import { ShownRoom } from "./room.js";
import { Rooms } from "./rooms.js";
import { Threads } from "./threads.js";

/**
 * What the page knows, and what it can do, on top of the SDK's client. Fires
 *   connection (its state) · session · rooms · room (one that changed) · message {room, message} of others, live ·
 *   resumed {missed, isPartial} · resynced (a room) · notice (a sentence) · expiring · presence · thread · attachments (a room id) ·
 *   features
 */
export class Chat extends Emitter {
  active = null;
  directory = new Directory();
  features = new Features(() => this.fire("features"));
  #client;
  #resumed = { missed: 0, isPartial: false };
  #sessions = 0;
  #isRefreshing = false;
  /** A refresh was asked for during another one, whose list may be too old. */
  #isRefreshDue = false;

  constructor(identity, framing) {
    super();
    const makeRoom = (roomId) => new ShownRoom(roomId);
    this.#client = new ChatClient({ ...identity, framing, storage: sessionStorage, makeRoom });
    this.rooms = new Rooms(this.#client);
    this.finder = new PeopleFinder(this.connection, this.api, this.features);
    this.history = new History(this.api, this.directory, (room) => this.fire("room", room));
    this.threads = new Threads(this.api, this.features, this.directory, () => this.fire("thread"));
    this.attachments = new Attachments(this.api, this.features, (roomId) => this.fire("attachments", roomId));
    this.actions = new MessageActions(this.connection, this.features, {
      changed: (room) => this.#changed(room),
      refused: (what, error) => this.#notice(what, error),
      removeNow: (room, messageId) => this.api.removeMessage(room.id, messageId),
    });
    this.#listen();
  }

  get identity() {
    return this.#client.identity;
  }

  get connection() {
    return this.#client.connection;
  }

  get api() {
    return this.#client.api;
  }

  get signals() {
    return this.#client.signals;
  }

  get presence() {
    return this.#client.presence;
  }

  get sender() {
    return this.#client.sender;
  }

  /** The open thread, or null. */
  get thread() {
    return this.threads.current;
  }

  get me() {
    return this.#client.me;
  }

  start() {
    // How the connection fares is shown from its states.
    this.#client.connect().catch(() => {});
  }

  stop() {
    this.actions.flush();
    this.#client.close();
  }

  // Rooms

  async open(roomId) {
    const room = this.rooms.get(roomId);
    this.rooms.reopen(roomId);
    if (this.active && this.active !== room) this.#leaveView(this.active);
    this.active = room;
    room.isOpen = true;
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
    this.rooms.leave(room).catch((error) => this.#notice("Leaving failed", error));
    this.fire("rooms");
  }

  async change(room, fields) {
    await this.api.changeRoom(room.id, fields);
    await this.#refreshRooms();
    this.fire("room", room);
  }

  async pollRooms() {
    if (this.#isRefreshing) this.#isRefreshDue = true;
    if (!this.connection.isOnline || this.#isRefreshing) return;
    this.#isRefreshing = true;
    try {
      do {
        this.#isRefreshDue = false;
        for (const room of await this.#refreshRooms()) if (!room.isJoined && !room.error) this.join(room);
      } while (this.#isRefreshDue);
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
    if (!this.#client.send(room.id, content)) this.fire("notice", "Too many messages are waiting to be sent.");
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
    return this.#client.pending(room.id);
  }

  openThread(room, messageId) {
    this.history.lookUp(room, messageId);
    this.threads.open(room, messageId);
  }

  // What happens on the wire

  #listen() {
    const handlers = {
      state: (state) => this.#stateChanged(state),
      session: (session) => this.#resume(session),
      news: (news) => this.#absorb(news),
      room: (room) => this.#changed(room),
      resync: (room) => this.fire("resynced", room),
      person: ({ userId, username, isHere }) => this.#personMoved({ userId, username }, isHere),
      typing: ({ userId, username }) => this.directory.learn([{ userId, username }]),
      read: () => this.fire("rooms"),
      closed: () => this.fire("rooms"),
      direct: (message) => this.#receiveDirect(message),
      problem: ({ message, code }) => this.fire("notice", `${message} (${code})`),
      expiring: (data) => this.fire("expiring", data),
    };
    for (const [event, handler] of Object.entries(handlers)) this.#client.on(event, handler);
  }

  #stateChanged(state) {
    this.fire("connection", state);
    if (this.active) this.fire("room", this.active);
  }

  async #resume(session) {
    const isFirst = this.#sessions++ === 0;
    this.#resumed = { missed: 0, isPartial: false };
    if (isFirst) this.#begin();
    this.fire("session", session);
    // Before the client resumes the others.
    if (this.active) await this.join(this.active);
    const listed = await this.#refreshRooms().catch((error) => this.#notice("Your rooms could not be loaded", error));
    const known = this.rooms.all.filter((room) => room.timeline.isPrimed);
    const due = new Set([...(listed ?? []), ...known].filter((room) => !room.isJoined));
    await Promise.all([...due].map((room) => this.join(room)));
    if (this.active) this.moderation.load(this.active).catch(() => {});
    if (!isFirst && this.connection.isOnline) this.fire("resumed", this.#resumed);
  }

  #begin() {
    this.directory.learn([this.identity]);
    this.drafts = new Drafts(this.me);
    this.moderation = new Moderation(this.api, this.features, this.me, (room) => this.#changed(room));
    this.presence.on("change", () => this.fire("presence"));
  }

  /** Joins or resumes; the room keeps a refusal as its error. */
  async join(room) {
    await this.#client.join(room.id).catch(() => {});
    this.fire("rooms");
  }

  #personMoved(user, isHere) {
    if (!isHere) return;
    this.directory.learn([user]);
    this.presence.watch([user.userId]);
  }

  /** Straight to this user: another user's page says that it made a room for both. */
  #receiveDirect({ metadata }) {
    if (typeof metadata?.roomId === "string" && !this.rooms.known(metadata.roomId)) this.pollRooms().catch(() => {});
  }

  /** Messages and changes took their places in a room's timeline. */
  #absorb(news) {
    const { room, added, changes, isJoin, isFirst, replaced } = news;
    this.directory.learn(added);
    this.directory.learn(changes.map(({ change }) => change).filter(({ username }) => username));
    if (isJoin) this.#noteJoin(room, added, isFirst, replaced);
    for (const { change, before } of changes) room.applyChange(change, before, this.me);
    for (const message of added) this.#absorbMessage(room, message, isFirst);
    this.threads.absorb(room, news);
    this.fire("rooms");
    if (isJoin) return;
    for (const message of added) if (message.userId !== this.me) this.fire("message", { room, message });
  }

  #noteJoin(room, added, isFirst, replaced) {
    this.directory.learn([...room.people.values()]);
    this.presence.watch([...room.people.keys(), room.partner(this.me)].filter(Boolean));
    if (!isFirst) this.#resumed.missed += added.filter((message) => message.userId !== this.me).length;
    if (replaced) this.#resumed.isPartial = true;
  }

  #absorbMessage(room, message, isFirst) {
    room.showPreview(message);
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
    room.isOpen = false;
    room.timeline.trim();
  }

  #notice(what, error) {
    this.fire("notice", `${what}: ${error.message}`);
  }

  #changed(room) {
    this.fire("room", room);
    this.threads.roomChanged(room);
  }
}
