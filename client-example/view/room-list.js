import { statusName } from "../model/statuses.js";
import { readable } from "../model/mentions.js";
import { avatar, roomBadge } from "./avatar.js";
import { byId, clearRows, h, reconcile } from "./dom.js";
import { plain, plural, shortTime } from "./text.js";

/** The rooms of the user, the most lately active first, and their own name on top. */
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
    const { unread } = chat.rooms;
    byId("other-unread").hidden = unread - (chat.active?.unread ?? 0) === 0;
    document.title = `${unread > 0 ? `(${unread}) ` : ""}${this.#title(chat.active)}`;
  }

  #sorted() {
    const at = (room) => room.preview?.timestamp ?? 0;
    return this.#chat.rooms.all.sort((a, b) => at(b) - at(a) || a.id.localeCompare(b.id));
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
      mentions: room.mentions,
      isPrivate: room.isPrivate,
      isOpen: room === chat.active,
      status: partner && chat.presence?.of(partner)?.status,
    };
    return { key: room.id, signature: JSON.stringify(shown), make: () => this.#element(shown) };
  }

  #preview(room) {
    if (room.error) return { text: "Not open to you" };
    const { directory, me, drafts } = this.#chat;
    const nameOf = (userId) => directory.nameOf(userId);
    const typing = room.typing.userIds.map(nameOf);
    if (typing.length > 0) return { text: `${typing[0]} is typing…` };
    const draft = room !== this.#chat.active && plain(drafts?.get(room.id)?.text ?? "");
    if (draft) return { mark: "Draft: ", text: draft.slice(0, 160) };
    if (!room.preview) return { text: "No messages yet" };
    const { userId, message, deleted } = room.preview;
    if (deleted) return { text: "Message deleted" };
    const author = userId === me ? "You" : nameOf(userId);
    const text = plain(readable(message, nameOf)).slice(0, 160);
    return { text: room.isDirect && userId !== me ? text : `${author}: ${text}` };
  }

  #element({ id, partner, title, preview, time, unread, mentions, isPrivate, isOpen, status }) {
    const button = h(
      "button",
      {
        type: "button",
        class: `room ${unread > 0 ? "unread" : ""}`,
        "aria-current": isOpen ? "true" : null,
        data: { room: id },
        on: { click: () => this.#onOpen(id) },
      },
      partner ? avatar(partner, title, { status }) : roomBadge("", isPrivate),
      h("span", { class: "lines" }, h("strong", {}, title), h("small", {}, preview.mark && h("em", {}, preview.mark), preview.text)),
      h("span", { class: "aside" }, h("time", {}, time), badges(unread, mentions)),
    );
    return h("li", {}, button);
  }
}

function badges(unread, mentions) {
  if (unread === 0) return null;
  const spoken = [plural(unread, "unread message"), mentions > 0 && `${plural(mentions, "mention")} of you`].filter(Boolean).join(", ");
  return h(
    "span",
    { class: "badges" },
    mentions > 0 && h("span", { class: "badge mention-badge", "aria-hidden": "true" }, "@"),
    h("span", { class: "badge", "aria-hidden": "true" }, unread > 99 ? "99+" : String(unread)),
    h("span", { class: "visually-hidden" }, `, ${spoken}`),
  );
}

function connectionText({ name }, status) {
  if (name === "online" && status && status !== "online") return `Connected · ${statusName(status)}`;
  return { online: "Connected", connecting: "Connecting…", waiting: "Reconnecting…", offline: "Offline" }[name] ?? "Disconnected";
}
