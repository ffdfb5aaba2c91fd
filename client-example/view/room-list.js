import { statusName } from "../model/presence.js";
import { avatar, roomBadge } from "./avatar.js";
import { byId, clearRows, h, reconcile } from "./dom.js";
import { plural, shortTime } from "./text.js";

/** The rooms of the user, the most lately active first, and who they are on top. */
export class RoomList {
  #chat;
  #onOpen;
  #list = byId("room-list");
  #me = byId("me");

  constructor(chat, onOpen) {
    this.#chat = chat;
    this.#onOpen = onOpen;
    clearRows(this.#list);
  }

  /** The ids in the order shown. */
  get order() {
    return this.#sorted().map((room) => room.id);
  }

  render() {
    const chat = this.#chat;
    const { userId, username } = chat.identity;
    const status = chat.connection.isOnline && chat.presence?.isSupported ? chat.presence.own : undefined;
    const lines = h("span", { class: "lines" }, h("strong", {}, username), h("small", {}, connectionText(chat.connection.state, status)));
    this.#me.replaceChildren(avatar(userId, username, { status }), lines);
    this.#me.setAttribute("aria-label", `${username}, settings`);
    reconcile(this.#list, this.#sorted().map((room) => this.#row(room)));
    const others = chat.unreadTotal - (chat.active?.unread ?? 0);
    byId("other-unread").hidden = others === 0;
    document.title = `${chat.unreadTotal > 0 ? `(${chat.unreadTotal}) ` : ""}${this.#title(chat.active)}`;
  }

  #sorted() {
    const at = (room) => room.preview?.timestamp ?? 0;
    return [...this.#chat.rooms.values()].sort((a, b) => at(b) - at(a) || a.id.localeCompare(b.id));
  }

  #title(room) {
    return room ? `${room.title(this.#chat.me, this.#chat.directory)} · Chat` : "Chat";
  }

  #row(room) {
    const chat = this.#chat;
    const partner = room.partner(chat.me);
    const shown = {
      id: room.id,
      partner,
      title: room.title(chat.me, chat.directory),
      preview: this.#preview(room),
      time: room.preview ? shortTime(room.preview.timestamp) : "",
      unread: room.unread,
      isOpen: room === chat.active,
      status: partner && chat.presence?.of(partner)?.status,
    };
    return { key: room.id, signature: JSON.stringify(shown), make: () => this.#element(shown) };
  }

  #preview(room) {
    if (room.error) return "Not open to you";
    const typing = room.typingUserIds.map((userId) => this.#chat.directory.nameOf(userId));
    if (typing.length > 0) return `${typing[0]} is typing…`;
    if (!room.preview) return "No messages yet";
    const { userId, message } = room.preview;
    const author = userId === this.#chat.me ? "You" : this.#chat.directory.nameOf(userId);
    const text = String(message).slice(0, 160);
    return room.isDirect && userId !== this.#chat.me ? text : `${author}: ${text}`;
  }

  #element({ id, partner, title, preview, time, unread, isOpen, status }) {
    const badge = unread > 0 && h("span", { class: "badge" }, unread > 99 ? "99+" : String(unread));
    const spoken = unread > 0 && h("span", { class: "visually-hidden" }, `, ${plural(unread, "unread message")}`);
    const button = h(
      "button",
      {
        type: "button",
        class: `room ${unread > 0 ? "unread" : ""}`,
        "aria-current": isOpen ? "true" : null,
        data: { room: id },
        on: { click: () => this.#onOpen(id) },
      },
      partner ? avatar(partner, title, { status }) : roomBadge(),
      h("span", { class: "lines" }, h("strong", {}, title), h("small", {}, preview)),
      h("span", { class: "aside" }, h("time", {}, time), badge, spoken),
    );
    return h("li", {}, button);
  }
}

function connectionText({ name }, status) {
  if (name === "online" && status && status !== "online") return `Connected · ${statusName(status)}`;
  return { online: "Connected", connecting: "Connecting…", waiting: "Reconnecting…", offline: "Offline" }[name] ?? "Disconnected";
}
