import { folded } from "../model/mentions.js";
import { statusName } from "../model/statuses.js";
import { avatar } from "./avatar.js";
import { byId, clearRows, h, onceAFrame, reconcile } from "./dom.js";
import { plural } from "./text.js";

/** How many people the list gets a filter from. */
const filterFrom = 8;

/** The people of the open room: those here now, and below them the others that belong to it. */
export class People {
  #chat;
  #onPerson;
  #list = byId("people-list");
  #filter = byId("people-filter");
  #members = { room: null, userIds: [] };
  #draw = onceAFrame(() => this.render());

  /** @param {(userId: string, anchor: HTMLElement) => void} onPerson a person was chosen */
  constructor(chat, onPerson) {
    this.#chat = chat;
    this.#onPerson = onPerson;
    clearRows(this.#list);
    this.#filter.value = "";
    this.#filter.oninput = () => this.render();
  }

  render() {
    const room = this.#chat.active;
    if (room !== this.#members.room) this.#loadMembers(room);
    const here = room?.isJoined ? [...room.people.keys()] : [];
    const online = Math.max(here.length, room?.isJoined ? (room.counts?.online ?? 0) : 0);
    byId("people-title").textContent = room?.isJoined ? `Here now · ${online.toLocaleString()}` : "Here now";
    const away = room?.isJoined ? this.#members.userIds.filter((userId) => !room.people.has(userId)) : [];
    byId("people-filter-field").hidden = here.length + away.length < filterFrom;
    const rows = [...this.#section(here, true), ...this.#section(away, false)];
    reconcile(this.#list, rows);
    byId("people-more").textContent = this.#more(room, here.length + away.length, online, rows.length);
  }

  /** Who belongs to a room changes seldom; it is asked for when a room is opened. */
  async #loadMembers(room) {
    this.#members = { room, userIds: [] };
    if (!room || room.isDirect) return;
    try {
      const { participants = [] } = await this.#chat.api.room(room.id);
      if (this.#members.room !== room) return;
      this.#members.userIds = participants;
      this.#chat.presence.watch(participants);
      this.#draw();
    } catch {
      // Those who are here are known all the same.
    }
  }

  #section(userIds, isHere) {
    const wanted = folded(this.#filter.value.trim());
    const people = userIds.map((userId) => this.#shown(userId, isHere));
    const found = people.filter(({ userId, name }) => wanted === "" || folded(name).includes(wanted) || folded(userId).includes(wanted));
    found.sort((a, b) => b.isMe - a.isMe || a.name.localeCompare(b.name));
    const rows = found.map((person) => ({ key: person.userId, signature: JSON.stringify(person), make: () => this.#element(person) }));
    if (isHere || rows.length === 0) return rows;
    const heading = () => h("li", { class: "people-section" }, `Others · ${rows.length}`);
    return [{ key: " others", signature: String(rows.length), make: heading }, ...rows];
  }

  #more(room, shown, online, rows) {
    if (!room?.isJoined) return this.#chat.connection.isOnline ? "" : "Known again when the connection is back.";
    if (rows === 0) return "Nobody of that name.";
    const others = Math.max(online, room.counts?.members ?? 0) - shown;
    return others > 0 ? `and ${plural(others, "other")}` : "";
  }

  #shown(userId, isHere) {
    const chat = this.#chat;
    const status = chat.presence.of(userId)?.status ?? (isHere ? "online" : "offline");
    const role = chat.active.isDirect ? "member" : chat.moderation.roleOf(chat.active, userId);
    const isMuted = chat.moderation.isMuted(chat.active, userId);
    return { userId, name: chat.directory.nameOf(userId), isMe: userId === chat.me, status, isHere, role, isMuted };
  }

  #element({ userId, name, isMe, status, isHere, role, isMuted }) {
    const badge = avatar(userId, name, { status, size: "small" });
    const word = status === "online" || !isHere ? "" : statusName(status).toLowerCase();
    const remark = [isMe && "you", role !== "member" && role, isMuted && "muted", word].filter(Boolean).join(", ");
    const label = h("span", { class: "lines" }, h("span", { class: "name" }, name), remark !== "" && h("small", {}, remark));
    const attributes = {
      type: "button",
      class: `person ${isHere ? "" : "is-away"}`,
      "aria-haspopup": "menu",
      "aria-label": [name, remark, word === "" && status].filter(Boolean).join(", "),
      data: { user: userId },
      on: { click: ({ currentTarget }) => this.#onPerson(userId, currentTarget) },
    };
    return h("li", {}, h("button", attributes, badge, label));
  }
}
