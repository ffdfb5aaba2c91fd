import { roomIdFrom } from "../model/identity.js";
import { matching } from "../model/mentions.js";
import { avatar, roomBadge } from "./avatar.js";
import { byId, h } from "./dom.js";

const mostRooms = 8;
const mostPeople = 6;
/** How long the user may pause in a name before people are looked for, in milliseconds. */
const typingPause = 200;

/** Finds a room or a person by a few letters, and opens what was chosen. */
export class Finder {
  #chat;
  #onRoom;
  #onPerson;
  #dialog = byId("finder-dialog");
  #field = byId("finder-text");
  #list = byId("finder-list");
  #options = [];
  #people = [];
  #at = 0;
  #timer = 0;

  constructor(chat, onRoom, onPerson) {
    this.#chat = chat;
    this.#onRoom = onRoom;
    this.#onPerson = onPerson;
    this.#field.oninput = () => this.#changed();
    this.#field.onkeydown = (event) => this.#key(event);
    this.#dialog.onclick = (event) => event.target === this.#dialog && this.#dialog.close();
    byId("finder-form").onsubmit = (event) => {
      event.preventDefault();
      this.#choose(this.#options[this.#at]);
    };
  }

  show() {
    if (this.#dialog.open) return;
    this.#field.value = "";
    this.#people = [];
    this.#dialog.showModal();
    this.#draw();
    this.#field.focus();
  }

  #changed() {
    clearTimeout(this.#timer);
    this.#draw();
    this.#timer = setTimeout(() => this.#findPeople(this.#field.value.trim()), typingPause);
  }

  async #findPeople(query) {
    const found = query ? await this.#chat.finder.search(query, mostPeople).catch(() => []) : [];
    if (query !== this.#field.value.trim()) return;
    this.#people = found.filter(({ userId }) => userId !== this.#chat.me).slice(0, mostPeople);
    this.#chat.directory.learn(this.#people);
    this.#draw();
  }

  #draw() {
    const query = this.#field.value.trim();
    const rooms = this.#rooms(query);
    const people = this.#people.map(({ userId, username, name }) => ({ kind: "person", id: userId, title: username ?? name ?? userId }));
    const id = roomIdFrom(query);
    const isKnown = rooms.some((room) => room.id === id);
    this.#options = [...rooms, ...people, ...(id && !isKnown ? [{ kind: "new", id, title: query }] : [])];
    this.#at = Math.min(this.#at, Math.max(0, this.#options.length - 1));
    if (query !== this.#list.dataset.query) this.#at = 0;
    this.#list.dataset.query = query;
    this.#list.replaceChildren(...this.#options.map((option, index) => this.#element(option, index)));
    this.#mark();
  }

  #rooms(query) {
    const rooms = this.#chat.rooms.all.map((room) => ({
      kind: "room",
      id: room.id,
      userId: room.id,
      name: room.title(this.#chat.me, this.#chat.directory),
      partner: room.partner(this.#chat.me),
      unread: room.unread,
      at: room.preview?.timestamp ?? 0,
    }));
    rooms.sort((a, b) => b.at - a.at);
    const found = query ? matching(rooms, query, mostRooms) : rooms.slice(0, mostRooms);
    return found.map((room) => ({ ...room, title: room.name }));
  }

  #element(option, index) {
    const { kind, id, title, partner, unread } = option;
    const badge = kind === "person" || partner ? avatar(partner ?? id, title, { size: "small" }) : roomBadge("small");
    const kindOfRoom = partner ? "Direct chat" : "Room";
    const remark = {
      room: unread > 0 ? `${unread} unread` : kindOfRoom,
      person: "Write to them",
      new: "Open or make this room",
    }[kind];
    const attributes = { role: "option", id: `finder-${index}`, on: { click: () => this.#choose(option) } };
    return h("li", attributes, badge, h("strong", {}, title), h("small", {}, remark));
  }

  #mark() {
    [...this.#list.children].forEach((row, index) => row.setAttribute("aria-selected", String(index === this.#at)));
    const row = this.#list.children[this.#at];
    this.#field.setAttribute("aria-activedescendant", row?.id ?? "");
    row?.scrollIntoView({ block: "nearest" });
  }

  #key(event) {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!by || this.#options.length === 0) return;
    event.preventDefault();
    this.#at = (this.#at + by + this.#options.length) % this.#options.length;
    this.#mark();
  }

  #choose(option) {
    if (!option) return;
    this.#dialog.close();
    if (option.kind === "person") this.#onPerson(option.id);
    else this.#onRoom(option.id);
  }
}
