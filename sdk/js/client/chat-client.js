import { Connection } from "../connection/connection.js";
import { Credentials } from "../connection/credentials.js";
import { Emitter } from "../connection/emitter.js";
import { newId } from "../outbox/new-id.js";
import { Sender } from "../outbox/sender.js";
import { RequestError } from "../protocol/errors.js";
import { changed } from "../room/changes.js";
import { RoomFeed } from "../room/room-feed.js";
import { Api } from "../rest/api.js";
import { Presence } from "./presence.js";
import { Signals } from "./signals.js";

/**
 * A client of the chat for one user: one connection, the rooms that were joined, a queue of messages to send. It reconnects, resumes
 * and sends by itself. `index.d.ts` describes its events.
 */
export class ChatClient extends Emitter {
  #feed;
  #storage;
  #sessions = 0;

  /** @param options see `ChatOptions` in index.d.ts */
  constructor({ url = globalThis.location?.origin, framing, WebSocket, fetch, storage, makeRoom, ...identity }) {
    super();
    /** `{userId, username, token}`, as the server knows the user once there is a session. */
    this.identity = new Credentials(identity);
    this.connection = new Connection(url, this.identity, { framing, WebSocket });
    this.api = new Api(url, this.identity, { fetch });
    this.signals = new Signals(this.connection);
    /** Null until the first session; then the object is the same over all sessions. */
    this.presence = null;
    /** Null until the first session. */
    this.sender = null;
    this.#storage = storage;
    this.#feed = new RoomFeed(this.connection, makeRoom);
    this.connection.on("state", (state) => this.#stateChanged(state));
    this.connection.on("session", (session) => this.#began(session));
    this.connection.on("event", ({ event, data }) => this.#receive(event, data ?? {}));
    this.connection.on("expiring", (data) => this.fire("expiring", data));
    this.#feed.on("news", (news) => this.#absorb(news));
    for (const name of ["room", "resync", "person", "typing", "read", "closed"]) this.#feed.on(name, (value) => this.fire(name, value));
  }

  // The connection

  get me() {
    return this.identity.userId;
  }

  get isOnline() {
    return this.connection.isOnline;
  }

  /**
   * Connects, and stays connected until `close`. Resolves with the first session; rejects with a `RequestError` when the server
   * refuses this user.
   */
  connect() {
    const first = new Promise((resolve, reject) => {
      const ends = [
        this.on("session", (session) => settle(resolve, session)),
        this.on("state", (state) => {
          if (state.name === "refused") settle(reject, state.error);
          if (state.name === "stopped") settle(reject, new RequestError(`closed_${state.code}`, state.reason));
          if (state.name === "idle") settle(reject, new RequestError("closed", "The client was closed."));
        }),
      ];
      const settle = (how, value) => {
        for (const end of ends) end();
        how(value);
      };
    });
    this.connection.start();
    return first;
  }

  /** Ends the session. Messages that wait stay in the storage, if there is one. */
  close() {
    this.sender?.stop();
    this.signals.stop();
    this.connection.stop();
  }

  // Rooms

  /** The rooms that are known here. */
  get rooms() {
    return this.#feed.all;
  }

  /** The room of that id, made known if it was not. It is joined by `join`. */
  room(roomId) {
    return this.#feed.get(roomId);
  }

  known(roomId) {
    return this.#feed.known(roomId);
  }

  /**
   * Joins a room, or resumes it after the last number received, and sends its waiting messages. From now on this is done after
   * every reconnect.
   * @returns {Promise<Room>} rejects with a `RequestError`; one that is retryable does not change that the room is joined later
   */
  async join(roomId) {
    const room = this.room(roomId);
    await this.#feed.join(room);
    this.sender.flush(room.id);
    return room;
  }

  /** Forgets a room, and is no longer present in it. Participation goes on; `api.leaveRoom` ends it. */
  leave(roomId) {
    const room = this.known(roomId);
    if (!room) return;
    // While the user is still in the room.
    this.signals.flushReads();
    if (room.isJoined) this.connection.emit("leave_room", { roomId }).catch(() => {});
    this.#feed.forget(room);
  }

  // Messages

  /**
   * Sends a message, at once or when the room is joined again. Its outcome comes as the event `sent` or `refused`.
   * @param {string | object} content a text, or `{message, mentions?, replyTo?, messageType?, metadata?}`
   * @returns the entry of the queue; null when it is full
   */
  send(roomId, content) {
    if (!this.sender) throw RequestError.connectionLost();
    const room = this.room(roomId);
    this.signals.sent(room);
    const message = typeof content === "string" ? { message: content } : content;
    return this.sender.send(roomId, message, this.isOnline && room.isJoined);
  }

  /** The room's messages that are on their way. */
  pending(roomId) {
    return this.sender?.pending(roomId) ?? [];
  }

  /** @param {{message, mentions?, metadata?}} fields */
  edit(roomId, messageId, fields) {
    return this.#change("edit_message", { roomId, messageId, ...fields });
  }

  delete(roomId, messageId) {
    return this.#change("delete_message", { roomId, messageId });
  }

  /** @param {{remove?: boolean}} options */
  react(roomId, messageId, emoji, { remove } = {}) {
    return this.#change("react", { roomId, messageId, emoji, remove });
  }

  /** @param {{remove?: boolean}} options */
  pin(roomId, messageId, { remove } = {}) {
    return this.#change("pin_message", { roomId, messageId, remove });
  }

  /** Sends straight to users, past all rooms; nothing of it is stored. */
  sendDirectly(recipientIds, message, metadata) {
    return this.connection.emit("send_message", { recipientIds, message, metadata });
  }

  // Signals

  typing(roomId, isTyping = true) {
    this.signals.typing(this.room(roomId), isTyping);
  }

  /** Marks the room as read, up to the newest message here or to a number. */
  markRead(roomId, seq = this.known(roomId)?.timeline.newestSeq ?? 0) {
    const room = this.known(roomId);
    if (!room || seq <= room.lastReadSeq) return;
    room.lastReadSeq = seq;
    this.signals.read(room, seq);
  }

  // The session

  #stateChanged(state) {
    if (state.name !== "online") this.#feed.ended();
    this.fire("state", state);
  }

  #began(session) {
    Object.assign(this.identity, { userId: session.userId, username: session.username ?? session.userId });
    if (this.#sessions++ === 0) this.#prepare();
    this.#feed.began(this.me, session.isRecovered);
    this.fire("session", session);
    if (session.isRecovered) for (const room of this.rooms) this.sender.flush(room.id);
    else this.presence.resume();
    this.signals.resume();
    for (const room of this.rooms) if (this.#isDue(room)) this.join(room.id).catch(() => {});
  }

  /** The rooms to join or resume: those that the application joined, and those that have something to send. */
  #isDue(room) {
    return !room.isJoined && (room.isWanted || this.pending(room.id).length > 0);
  }

  #prepare() {
    this.presence = new Presence(this.connection, this.me);
    this.sender = new Sender(this.connection, this.me, this.#storage, {
      changed: (roomId) => this.#outboxChanged(roomId),
      accepted: (entry) => this.fire("sent", entry),
      refused: (entry) => this.fire("refused", entry),
      rejoin: (roomId) => this.join(roomId).catch(() => {}),
      missing: (roomId, seq) => this.#feed.catchUp(this.room(roomId), seq),
      lastSeq: (roomId) => this.known(roomId)?.timeline.lastSeq ?? 0,
    });
    for (const roomId of this.sender.roomIds) this.room(roomId);
  }

  #outboxChanged(roomId) {
    const room = this.known(roomId);
    if (room) this.fire("room", room);
  }

  #receive(event, data) {
    if (this.#feed.receive(event, data) || this.presence?.receive(event, data)) return;
    if (event === "message") this.fire("direct", data);
    else if (event === "error") this.fire("problem", RequestError.refusal(data));
  }

  #absorb(news) {
    const { room, added, changes, isFirst } = news;
    for (const message of added) this.sender.didStore(message);
    this.fire("news", news);
    for (const message of added) this.fire("message", { room, message, isHistory: isFirst });
    for (const { change, before } of changes) {
      this.fire("change", { room, change, before, message: before && changed(before, change) });
    }
  }

  #change(event, data) {
    return this.connection.emit(event, { ...data, clientMessageId: newId() });
  }
}
