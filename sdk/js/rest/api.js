import { RequestError, problem } from "../protocol/errors.js";
import { upload } from "./upload.js";

const roomsPage = 200;
/** Most rooms that `rooms` reads. */
const mostRooms = 5_000;

const isHeaderSafe = (text) => /^[\x20-\x7e]+$/.test(text);
const encoded = encodeURIComponent;

/** The calls over REST, in the name of the signed-in user. All reject with a `RequestError`. */
export class Api {
  #base;
  #identity;
  #fetch;

  /**
   * @param {string} base the server's address
   * @param {import("../connection/credentials.js").Credentials} identity is read at each call
   */
  constructor(base, identity, { fetch = globalThis.fetch.bind(globalThis) } = {}) {
    this.#base = base;
    this.#identity = identity;
    this.#fetch = fetch;
  }

  // Rooms

  /** @returns {Promise<object[]>} the user's rooms, those with the latest messages first */
  async rooms() {
    const rooms = [];
    let cursor;
    do {
      const page = await this.#call("GET", "/api/rooms", { query: { cursor, limit: roomsPage } });
      rooms.push(...(page.rooms ?? []));
      cursor = page.cursor;
    } while (cursor && rooms.length < mostRooms);
    return rooms;
  }

  async room(roomId) {
    const body = await this.#call("GET", `/api/rooms/${encoded(roomId)}`);
    return body.room ?? body;
  }

  async createRoom(fields) {
    const body = await this.#call("POST", "/api/rooms", { body: fields });
    return body.room ?? body;
  }

  changeRoom(roomId, fields) {
    return this.#call("PATCH", `/api/rooms/${encoded(roomId)}`, { body: fields });
  }

  /** Ends the user's participation in a group. */
  leaveRoom(roomId) {
    return this.removeParticipant(roomId, this.#identity.userId);
  }

  addParticipant(roomId, userId) {
    return this.#call("PUT", `/api/rooms/${encoded(roomId)}/participants/${encoded(userId)}`);
  }

  removeParticipant(roomId, userId) {
    return this.#call("DELETE", `/api/rooms/${encoded(roomId)}/participants/${encoded(userId)}`);
  }

  /** @param {"roles"|"bans"|"mutes"} kind */
  async listed(roomId, kind) {
    const answer = await this.#call("GET", `/api/rooms/${encoded(roomId)}/${kind}`);
    return answer[kind] ?? [];
  }

  setListed(roomId, kind, userId, fields) {
    return this.#call("PUT", `/api/rooms/${encoded(roomId)}/${kind}/${encoded(userId)}`, { body: fields });
  }

  unsetListed(roomId, kind, userId) {
    return this.#call("DELETE", `/api/rooms/${encoded(roomId)}/${kind}/${encoded(userId)}`);
  }

  // Messages

  /** @param {{before?: number, after?: number, around?: number, limit?: number}} query cursors are sequence numbers */
  history(roomId, query) {
    return this.#call("GET", `/api/chat/${encoded(roomId)}/history`, { query });
  }

  async message(roomId, messageId) {
    const body = await this.#call("GET", `/api/chat/${encoded(roomId)}/messages/${encoded(messageId)}`);
    return body.message?.messageId ? body.message : body;
  }

  /** A browser sends it even when the page is closed meanwhile. */
  removeMessage(roomId, messageId) {
    return this.#call("DELETE", `/api/chat/${encoded(roomId)}/messages/${encoded(messageId)}`, { keepalive: true });
  }

  replies(roomId, messageId, query) {
    return this.#call("GET", `/api/chat/${encoded(roomId)}/messages/${encoded(messageId)}/replies`, { query });
  }

  /** Messages that changed after `query.after`, as they are now. */
  changes(roomId, query) {
    return this.#call("GET", `/api/chat/${encoded(roomId)}/changes`, { query });
  }

  flag(roomId, messageId, reason) {
    return this.#call("POST", `/api/chat/${encoded(roomId)}/messages/${encoded(messageId)}/flags`, { body: { reason } });
  }

  search(query) {
    return this.#call("GET", "/api/search", { query });
  }

  // People

  async users(query) {
    const answer = await this.#call("GET", "/api/users", { query });
    return Array.isArray(answer) ? answer : (answer.users ?? []);
  }

  async blocks() {
    const answer = await this.#call("GET", `/api/users/${encoded(this.#identity.userId)}/blocks`);
    return answer.blocks ?? [];
  }

  setBlock(userId, isBlocked) {
    const path = `/api/users/${encoded(this.#identity.userId)}/blocks/${encoded(userId)}`;
    return this.#call(isBlocked ? "PUT" : "DELETE", path);
  }

  // Files

  /**
   * @param {Blob} file with a `name`, as a `File` has, or with the name given
   * @param {(part: number) => void} onProgress gets 0 to 1
   * @returns {{done: Promise<object>, cancel: () => void}}
   */
  upload(roomId, file, onProgress = () => {}, name = file.name) {
    const url = new URL(`/api/chat/${encoded(roomId)}/files`, this.#base);
    url.searchParams.set("name", name);
    return upload(url, this.#identify(url), file, onProgress, this.#fetch);
  }

  /** A file's content, as a `Blob`. */
  async file(fileId, name) {
    const url = new URL(`/api/files/${encoded(fileId)}/${encoded(name)}`, this.#base);
    const response = await this.#send(url, { headers: this.#identify(url) });
    if (!response.ok) throw problem(response.status, await answerOf(response));
    return response.blob();
  }

  async #call(method, path, { query = {}, body, keepalive = false } = {}) {
    const url = new URL(path, this.#base);
    for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value);
    const headers = this.#identify(url);
    if (body) headers["Content-Type"] = "application/json";
    const response = await this.#send(url, { method, headers, keepalive, body: body && JSON.stringify(body) });
    const answer = await answerOf(response);
    if (!response.ok) throw problem(response.status, answer);
    return answer;
  }

  async #send(url, options) {
    try {
      return await this.#fetch(url, options);
    } catch {
      throw RequestError.unreachable();
    }
  }

  #identify(url) {
    const { token, userId, username } = this.#identity;
    if (token) return { Authorization: `Bearer ${token}` };
    if (!isHeaderSafe(userId)) {
      url.searchParams.set("userId", userId);
      return {};
    }
    return isHeaderSafe(username) ? { "X-User-Id": userId, "X-Username": username } : { "X-User-Id": userId };
  }
}

const answerOf = (response) => response.json().catch(() => ({}));
