import { RequestError } from "./request-error.js";

const roomsPage = 200;
/** Most rooms asked for. */
const mostRooms = 5_000;

const isHeaderSafe = (text) => /^[\x20-\x7e]+$/.test(text);

/** The REST side: rooms and history, in the name of the signed-in user. */
export class Api {
  #identity;

  constructor(identity) {
    this.#identity = identity;
  }

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

  async createRoom(fields) {
    const body = await this.#call("POST", "/api/rooms", { body: fields });
    return body.room ?? body;
  }

  /** Gives up one's part in a room; only a group can be left. */
  leaveRoom(roomId) {
    const [room, user] = [roomId, this.#identity.userId].map(encodeURIComponent);
    return this.#call("DELETE", `/api/rooms/${room}/participants/${user}`);
  }

  /** @param {{before?: number, after?: number, limit?: number}} query cursors are sequence numbers */
  history(roomId, query) {
    return this.#call("GET", `/api/chat/${encodeURIComponent(roomId)}/history`, { query });
  }

  async #call(method, path, { query = {}, body } = {}) {
    const url = new URL(path, location.origin);
    for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value);
    const headers = this.#identify(url);
    if (body) headers["Content-Type"] = "application/json";
    let response;
    try {
      response = await fetch(url, { method, headers, body: body && JSON.stringify(body) });
    } catch {
      throw new RequestError("network", "The server cannot be reached.", true);
    }
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) throw problem(response.status, answer);
    return answer;
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

function problem(status, { code, detail, title }) {
  const text = detail ?? title ?? `The server answered ${status}.`;
  return new RequestError(code ?? String(status), text, status === 429 || status >= 500);
}
