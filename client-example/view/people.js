import { statusName } from "../model/presence.js";
import { avatar } from "./avatar.js";
import { byId, clearRows, h, reconcile } from "./dom.js";
import { plural } from "./text.js";

/** Who is in the open room now. */
export class People {
  #chat;
  #onDirect;
  #list = byId("people-list");

  constructor(chat, onDirect) {
    this.#chat = chat;
    this.#onDirect = onDirect;
    clearRows(this.#list);
  }

  render() {
    const room = this.#chat.active;
    const people = room?.isJoined ? [...room.people.values()] : [];
    const online = Math.max(people.length, room?.isJoined ? (room.counts?.online ?? 0) : 0);
    byId("people-title").textContent = room?.isJoined ? `Here now · ${online.toLocaleString()}` : "Here now";
    const sorted = people.map((person) => this.#shown(person)).sort((a, b) => b.isMe - a.isMe || a.name.localeCompare(b.name));
    reconcile(this.#list, sorted.map((person) => this.#row(person)));
    byId("people-more").textContent = this.#more(room, people.length, online);
  }

  #more(room, shown, online) {
    if (!room?.isJoined) return this.#chat.connection.isOnline ? "" : "Known again when the connection is back.";
    const parts = [];
    if (online > shown) parts.push(`${plural(online - shown, "other")} here`);
    if (room.counts?.members > online) parts.push(plural(room.counts.members, "member"));
    return parts.join(" · ");
  }

  #shown({ userId }) {
    const presence = this.#chat.presence.of(userId);
    return { userId, name: this.#chat.directory.nameOf(userId), isMe: userId === this.#chat.me, status: presence?.status ?? "online" };
  }

  #row(person) {
    return { key: person.userId, signature: JSON.stringify(person), make: () => this.#element(person) };
  }

  #element({ userId, name, isMe, status }) {
    const badge = avatar(userId, name, { status, size: "small" });
    const word = status === "online" ? "" : statusName(status).toLowerCase();
    const remark = [isMe && "you", word].filter(Boolean).join(", ");
    const label = h("span", { class: "lines" }, h("span", { class: "name" }, name), remark !== "" && h("small", {}, remark));
    if (isMe) return h("li", { class: "person" }, badge, label);
    const attributes = {
      type: "button",
      class: "person",
      title: `Write to ${name}`,
      "aria-label": `${name}, ${status}. Start a direct chat`,
      on: { click: () => this.#onDirect(userId) },
    };
    return h("li", {}, h("button", attributes, badge, label));
  }
}
