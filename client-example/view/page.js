import { readable } from "../model/mentions.js";
import { Banner } from "./banner.js";
import { Conversation } from "./conversation.js";
import { byId, onceAFrame } from "./dom.js";
import { Drawers } from "./drawers.js";
import { Files } from "./files.js";
import { Finder } from "./finder.js";
import { LeaveDialog } from "./leave-dialog.js";
import { NewDialog } from "./new-dialog.js";
import { Notifier } from "./notifier.js";
import { People } from "./people.js";
import { personCommands } from "./person-commands.js";
import { PersonMenu } from "./person-menu.js";
import { PictureDialog } from "./picture-dialog.js";
import { PinsPanel } from "./pins-panel.js";
import { RoomDialog } from "./room-dialog.js";
import { RoomList } from "./room-list.js";
import { showRoomMenu } from "./room-menu.js";
import { SearchPanel } from "./search-panel.js";
import { Settings } from "./settings.js";
import { listenForShortcuts } from "./shortcuts.js";
import { ThreadPanel } from "./thread-panel.js";
import { TokenDialog } from "./token-dialog.js";

const pollEvery = 20_000;

/** The signed-in page: its parts, and which of them an event concerns. */
export class Page {
  #chat;
  #remember;
  #end = new AbortController();
  #poll = 0;
  #people;
  #files;

  constructor(chat, { remember, signOut }) {
    this.#chat = chat;
    this.#remember = remember;
    this.#people = { me: chat.me, nameOf: (userId) => chat.directory.nameOf(userId) };
    this.#files = new Files(chat.api, this.#end.signal);
    this.picture = new PictureDialog(this.#files);
    this.banner = new Banner(chat, () => this.tokenDialog.show());
    this.drawers = new Drawers((side) => this.#sideChanged(side));
    this.roomList = new RoomList(chat, (roomId) => this.open(roomId));
    this.settings = new Settings(chat, signOut);
    this.newDialog = new NewDialog(chat, (roomId) => this.open(roomId));
    this.roomDialog = new RoomDialog(chat);
    this.leaveDialog = new LeaveDialog((room) => this.#leave(room));
    this.tokenDialog = new TokenDialog(chat, () => this.banner.notice("Signed in for longer."));
    this.finder = new Finder(chat, (roomId) => this.open(roomId), (userId) => this.#direct(userId));
    this.notifier = new Notifier(chat, (roomId) => this.open(roomId));
    const context = { people: this.#people, files: this.#files };
    this.conversation = new Conversation(chat, this.#commands(), context, this.#end.signal);
    this.thread = new ThreadPanel(chat, this.#commands(), context, this.#end.signal);
    this.#makePeople();
    const goTo = (roomId, seq) => this.#goToPlace(roomId, seq);
    this.search = new SearchPanel(chat, this.#people, goTo);
    this.pins = new PinsPanel(chat, this.#people, goTo);
    this.#listen();
    listenForShortcuts({ chat, page: this, isWriting: () => document.activeElement === byId("text") }, this.#end.signal);
    byId("app").hidden = false;
  }

  /** @param options isBack: the browser's own buttons led here, so the address is right already */
  async open(roomId, { isBack = false } = {}) {
    this.drawers.close();
    if (this.drawers.side === "thread") this.drawers.hideSide();
    this.#remember(roomId, { isBack });
    const opened = this.#chat.open(roomId);
    this.conversation.composer.focus();
    this.search.roomChanged();
    if (this.drawers.side === "pins") this.pins.render();
    await opened;
  }

  showSearch() {
    if (!this.#chat.features.has("search")) return;
    this.drawers.showSide("search");
    this.search.focus();
  }

  /** To the room above or below in the list. */
  step(by) {
    const { order } = this.roomList;
    const at = order.indexOf(this.#chat.active?.id);
    const next = order[(at + by + order.length) % order.length];
    if (next) this.open(next);
  }

  close() {
    this.#end.abort();
    clearInterval(this.#poll);
    this.banner.hide();
    byId("app").hidden = true;
    document.title = "Chat";
    for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  }

  #makePeople() {
    const chat = this.#chat;
    const personMenu = new PersonMenu(chat, personCommands(chat, {
      direct: (userId) => this.#direct(userId),
      mention: (userId) => this.conversation.composer.mention(userId),
      settings: () => this.settings.show(),
      notice: (text) => this.banner.notice(text),
    }));
    this.people = new People(chat, (userId, anchor) => personMenu.show(userId, anchor));
    const showMentioned = (event) => {
      const mention = event.target.closest(".mention");
      if (mention) personMenu.show(mention.dataset.user, mention);
    };
    for (const id of ["messages", "thread-list"]) byId(id).addEventListener("click", showMentioned, { signal: this.#end.signal });
  }

  /** What commands of messages need of the page. */
  #commands() {
    return {
      goTo: (room, seq) => seq && this.#goToPlace(room.id, seq),
      openThread: (messageId) => this.#openThread(messageId),
      openPicture: (file) => this.picture.show(file).catch((error) => this.banner.notice(error.message)),
      download: (file) => this.#files.download(file),
      notice: (text) => this.banner.notice(text),
    };
  }

  #listen() {
    const chat = this.#chat;
    const drawRooms = onceAFrame(() => this.roomList.render());
    const drawRoom = onceAFrame(() => this.#drawRoom());
    const drawAll = () => {
      drawRooms();
      drawRoom();
    };
    chat.on("rooms", drawRooms);
    chat.on("room", (room) => (room === chat.active ? drawRoom() : drawRooms()));
    chat.on("thread", onceAFrame(() => this.thread.render()));
    chat.on("features", () => {
      if (this.drawers.side === "search" && !chat.features.has("search")) this.drawers.hideSide();
      drawAll();
    });
    chat.on("attachments", (roomId) => roomId === chat.active?.id && this.conversation.renderComposer());
    chat.on("presence", () => {
      drawAll();
      this.settings.render();
    });
    chat.on("connection", (state) => {
      this.banner.connection(state);
      drawAll();
    });
    chat.on("resumed", (what) => this.banner.resumed(what));
    chat.on("resynced", (room) => this.banner.resynced(room.title(chat.me, chat.directory)));
    chat.on("notice", (text) => this.banner.notice(text));
    chat.on("expiring", () => this.banner.expiring());
    chat.on("message", (what) => {
      this.#announce(what);
      this.notifier.message(what);
    });
    byId("new").onclick = () => this.newDialog.show();
    byId("find").onclick = () => this.finder.show();
    byId("me").onclick = () => this.settings.show();
    byId("show-search").onclick = () => (this.drawers.side === "search" ? this.drawers.hideSide() : this.showSearch());
    byId("room-menu").onclick = () => this.#showRoomMenu();
    this.#poll = setInterval(() => this.#pollRooms(), pollEvery);
    const listen = (event, handler) => addEventListener(event, handler, { signal: this.#end.signal });
    listen("focus", () => this.#pollRooms());
    listen("pointerdown", () => chat.signals.activity());
    listen("pagehide", () => chat.actions.flush());
  }

  #showRoomMenu() {
    const chat = this.#chat;
    const room = chat.active;
    showRoomMenu(byId("room-menu"), room, chat, {
      pins: () => this.drawers.showSide("pins"),
      settings: () => this.roomDialog.show(room),
      leave: () => this.leaveDialog.show(room, room.title(chat.me, chat.directory)),
    });
  }

  #drawRoom() {
    this.conversation.render();
    this.people.render();
    this.roomList.render();
  }

  #sideChanged(side) {
    if (side !== "thread" && this.#chat.thread) this.#chat.threads.close();
    if (side === "pins") this.pins.render();
  }

  #openThread(messageId) {
    this.drawers.showSide("thread");
    this.#chat.openThread(this.#chat.thread?.room ?? this.#chat.active, messageId);
    this.thread.render();
    this.thread.focus();
  }

  async #goToPlace(roomId, seq) {
    try {
      if (roomId !== this.#chat.active?.id) await this.open(roomId);
      else this.drawers.close();
      this.conversation.messages.render();
      if (!(await this.conversation.messages.goTo(seq))) this.banner.notice("That message is not there any more.");
    } catch (error) {
      this.banner.notice(`The place could not be shown: ${error.message}`);
    }
  }

  #pollRooms() {
    if (document.visibilityState === "visible") this.#chat.pollRooms().catch(() => {});
  }

  async #direct(userId) {
    try {
      await this.open(await this.#chat.makeDirect(userId));
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
    line.textContent = `${message.username}: ${readable(message.message, this.#people.nameOf)}`;
    const announcer = byId("announcer");
    announcer.append(line);
    while (announcer.children.length > 5) announcer.firstElementChild.remove();
  }
}
