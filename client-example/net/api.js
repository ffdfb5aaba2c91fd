import { RequestError, problem } from "./request-error.js";
import { upload } from "./upload.js";

const roomsPage = 200;
/** Most rooms asked for. */
const mostRooms = 5_000;

const isHeaderSafe = (text) => /^[\x20-\x7e]+$/.test(text);
const encoded = encodeURIComponent;

/** The REST side, in the name of the signed-in user. */
export class Api {
  #identity;

  constructor(identity) {
    this.#identity = identity;
  }

  // Rooms

  /** @returns {Promise<object[]>} the caller's rooms, the most lately active first */
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

  /** Gives up one's part in a room; only a group can be left. */
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

  /** Is carried out also when the page goes away meanwhile. */
  removeMessage(roomId, messageId) {
    return this.#call("DELETE", `/api/chat/${encoded(roomId)}/messages/${encoded(messageId)}`, { keepalive: true });
  }

  replies(roomId, messageId, query) {
    return this.#call("GET", `/api/chat/${encoded(roomId)}/messages/${encoded(messageId)}/replies`, { query });
  }

  /** Messages changed after that number, as they are now. */
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

  /** @returns {{done: Promise<object>, cancel: () => void}} */
  upload(roomId, file, onProgress) {
    const url = new URL(`/api/chat/${encoded(roomId)}/files`, location.origin);
    url.searchParams.set("name", file.name);
    return upload(url, this.#identify(url), file, onProgress);
  }

  /** A file's bytes; an address of its own would have to name the caller. */
  async file(fileId, name) {
    const url = new URL(`/api/files/${encoded(fileId)}/${encoded(name)}`, location.origin);
    const response = await this.#fetch(url, { headers: this.#identify(url) });
    if (!response.ok) throw problem(response.status, await answerOf(response));
    return response.blob();
  }

  async #call(method, path, { query = {}, body, keepalive = false } = {}) {
    const url = new URL(path, location.origin);
    for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value);
    const headers = this.#identify(url);
    if (body) headers["Content-Type"] = "application/json";
    const response = await this.#fetch(url, { method, headers, keepalive, body: body && JSON.stringify(body) });
    const answer = await answerOf(response);
    if (!response.ok) throw problem(response.status, answer);
    return answer;
  }

  async #fetch(url, options) {
    try {
      return await fetch(url, options);
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
