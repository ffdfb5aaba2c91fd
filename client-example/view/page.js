import { Banner } from "./banner.js";
import { Composer } from "./composer.js";
import { byId, onceAFrame } from "./dom.js";
import { Drawers } from "./drawers.js";
import { renderHeading } from "./heading.js";
import { LeaveDialog } from "./leave-dialog.js";
import { MessageList } from "./message-list.js";
import { NewDialog } from "./new-dialog.js";
import { People } from "./people.js";
import { RoomList } from "./room-list.js";
import { Settings } from "./settings.js";
import { TokenDialog } from "./token-dialog.js";

const pollEvery = 20_000;

/** The signed-in page: its parts, and which of them an event concerns. */
export class Page {
  #chat;
  #remember;
  #undo = new AbortController();
  #poll = 0;

  constructor(chat, { remember, signOut }) {
    this.#chat = chat;
    this.#remember = remember;
    this.drawers = new Drawers();
    this.roomList = new RoomList(chat, (roomId) => this.open(roomId));
    this.messages = new MessageList(chat, this.#undo.signal);
    this.people = new People(chat, (userId) => this.#direct(userId));
    this.composer = new Composer(chat, () => this.messages.scrollToEnd());
    this.settings = new Settings(chat, signOut);
    this.newDialog = new NewDialog(chat, (roomId) => this.open(roomId));
    this.leaveDialog = new LeaveDialog((room) => this.#leave(room));
    this.tokenDialog = new TokenDialog(chat, () => this.banner.notice("Signed in for longer."));
    this.banner = new Banner(chat, () => this.tokenDialog.show());
    this.#listen();
    this.#handleKeys();
    byId("app").hidden = false;
  }

  async open(roomId) {
    this.drawers.close();
    this.#remember(roomId);
    const opened = this.#chat.open(roomId);
    this.composer.focus();
    await opened;
  }

  close() {
    this.#undo.abort();
    clearInterval(this.#poll);
    this.banner.hide();
    byId("app").hidden = true;
    document.title = "Chat";
    for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  }

  #listen() {
    const chat = this.#chat;
    const drawRooms = onceAFrame(() => this.roomList.render());
    const drawRoom = onceAFrame(() => this.#drawRoom());
    chat.on("rooms", drawRooms);
    chat.on("room", (room) => (room === chat.active ? drawRoom() : drawRooms()));
    chat.on("presence", () => {
      drawRooms();
      drawRoom();
      this.settings.render();
    });
    chat.on("connection", (state) => {
      this.banner.connection(state);
      drawRooms();
      drawRoom();
    });
    chat.on("resumed", (what) => this.banner.resumed(what));
    chat.on("resynced", (room) => this.banner.resynced(room.title(chat.me, chat.directory)));
    chat.on("notice", (text) => this.banner.notice(text));
    chat.on("expiring", () => this.banner.expiring());
    chat.on("message", (what) => this.#announce(what));
    byId("new").onclick = () => this.newDialog.show();
    byId("me").onclick = () => this.settings.show();
    byId("leave").onclick = () => this.leaveDialog.show(chat.active, chat.active.title(chat.me, chat.directory));
    this.#poll = setInterval(() => this.#pollRooms(), pollEvery);
    addEventListener("focus", () => this.#pollRooms(), { signal: this.#undo.signal });
    addEventListener("pointerdown", () => chat.signals.activity(), { signal: this.#undo.signal });
  }

  #drawRoom() {
    renderHeading(this.#chat);
    this.messages.render();
    this.people.render();
    this.composer.render();
    this.roomList.render();
  }

  #pollRooms() {
    if (document.visibilityState === "visible") this.#chat.pollRooms().catch(() => {});
  }

  async #direct(userId) {
    try {
      const room = await this.#chat.startDirect(userId);
      await this.open(room.id);
    } catch (error) {
      this.banner.notice(`${error.message} (${error.code})`);
    }
  }

  #leave(room) {
    this.#chat.leave(room);
    const [next] = this.roomList.order;
    if (next) this.open(next);
    else this.#drawRoom();
  }

  #announce({ room, message }) {
    if (room !== this.#chat.active) return;
    const line = document.createElement("p");
    line.textContent = `${message.username}: ${message.message}`;
    const announcer = byId("announcer");
    announcer.append(line);
    while (announcer.children.length > 5) announcer.firstElementChild.remove();
  }

  #handleKeys() {
    addEventListener("keydown", (event) => this.#key(event), { signal: this.#undo.signal });
  }

  #key(event) {
    this.#chat.signals.activity();
    const isCommand = event.ctrlKey || event.metaKey;
    if (isCommand && event.key.toLowerCase() === "k") this.newDialog.show();
    else if (event.altKey && event.key === "ArrowUp") this.#step(-1);
    else if (event.altKey && event.key === "ArrowDown") this.#step(1);
    else if (event.key === "PageUp" && this.#isWriting) this.messages.scrollByPage(-1);
    else if (event.key === "PageDown" && this.#isWriting) this.messages.scrollByPage(1);
    else if (event.key === "Escape") return this.#escape();
    else return;
    event.preventDefault();
  }

  get #isWriting() {
    return document.activeElement === byId("text");
  }

  #escape() {
    if (document.querySelector("dialog[open]")) return;
    if (this.drawers.isOpen) this.drawers.close();
    else this.messages.scrollToEnd({ smooth: true });
  }

  #step(by) {
    const { order } = this.roomList;
    const at = order.indexOf(this.#chat.active?.id);
    const next = order[(at + by + order.length) % order.length];
    if (next) this.open(next);
  }
}
