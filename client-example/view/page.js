import { AttachmentTray } from "./attachment-tray.js";
import { Banner } from "./banner.js";
import { Composer } from "./composer.js";
import { composerForm } from "./composer-form.js";
import { byId, onceAFrame } from "./dom.js";
import { Drawers } from "./drawers.js";
import { acceptFiles } from "./drop-zone.js";
import { Files } from "./files.js";
import { Finder } from "./finder.js";
import { renderHeading } from "./heading.js";
import { LeaveDialog } from "./leave-dialog.js";
import { messageCommands } from "./message-commands.js";
import { MessageList } from "./message-list.js";
import { MessageToolbar } from "./message-toolbar.js";
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
  #tray;

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
    this.#makeConversation();
    this.#makeThread();
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
    this.composer.focus();
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

  #makeConversation() {
    const chat = this.#chat;
    const room = () => chat.active;
    const commands = messageCommands(chat, room, this.#pageCommands(() => this.composer));
    this.messages = new MessageList(chat, { people: this.#people, files: this.#files, actions: commands }, this.#end.signal);
    const toolbar = new MessageToolbar(chat, this.messages.element, room, commands, this.#end.signal);
    this.messages.onDrawn = () => toolbar.refresh();
    const parts = composerForm({ id: "text", hasFiles: true });
    this.#tray = new AttachmentTray(parts.tray, chat.attachments);
    const form = byId("composer");
    form.replaceChildren(parts.box);
    this.composer = new Composer(chat, parts, () => this.#mainPlace(), {
      sent: () => this.messages.goToEnd(),
      editLast: () => this.#editLast(chat.active?.timeline.messages ?? [], this.composer),
      files: () => chat.attachments.take(chat.active.id),
    });
    form.onsubmit = (event) => {
      event.preventDefault();
      this.composer.submit();
    };
    parts.attach.onclick = () => parts.file.click();
    parts.file.onchange = () => {
      this.#addFiles([...parts.file.files]);
      parts.file.value = "";
    };
    const isOpen = () => Boolean(chat.active) && !chat.active.error && chat.features.has("files");
    acceptFiles(document.querySelector(".conversation"), parts.text, { isOpen, onFiles: (files) => this.#addFiles(files) }, this.#end.signal);
    this.attach = parts.attach;
  }

  #makeThread() {
    const chat = this.#chat;
    const room = () => chat.thread?.room;
    const commands = messageCommands(chat, room, this.#pageCommands(() => this.threadComposer));
    this.thread = new ThreadPanel(chat, { people: this.#people, files: this.#files, actions: commands });
    const toolbar = new MessageToolbar(chat, byId("thread-list"), room, { ...commands, reply: () => this.threadComposer.focus() }, this.#end.signal);
    const parts = composerForm({ id: "thread-text", label: "Reply" });
    const form = byId("thread-composer");
    form.replaceChildren(parts.box);
    this.threadComposer = new Composer(chat, parts, () => this.#threadPlace(), {
      sent: () => {},
      editLast: () => this.#editLast(chat.thread.replies, this.threadComposer),
      files: () => [],
    });
    form.onsubmit = (event) => {
      event.preventDefault();
      this.threadComposer.submit();
    };
    this.drawThread = onceAFrame(() => {
      this.thread.render();
      this.threadComposer.render();
      toolbar.refresh();
    });
  }

  #makePeople() {
    const chat = this.#chat;
    const personMenu = new PersonMenu(chat, personCommands(chat, {
      direct: (userId) => this.#direct(userId),
      mention: (userId) => this.composer.mention(userId),
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

  #pageCommands(composer) {
    return {
      composer,
      goTo: (room, seq) => seq && this.#goToPlace(room.id, seq),
      openThread: (messageId) => this.#openThread(messageId),
      openPicture: (file) => this.picture.show(file).catch((error) => this.banner.notice(error.message)),
      download: (file) => this.#files.download(file),
      notice: (text) => this.banner.notice(text),
    };
  }

  #mainPlace() {
    const room = this.#chat.active;
    return room && { room, key: room.id, placeholder: `Message ${room.title(this.#chat.me, this.#chat.directory)}` };
  }

  #threadPlace() {
    const { thread } = this.#chat;
    return thread && { room: thread.room, key: `${thread.room.id}\n${thread.rootId}`, replyTo: thread.rootId, placeholder: "Reply…" };
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
    chat.on("thread", () => this.drawThread());
    chat.on("features", () => {
      if (this.drawers.side === "search" && !chat.features.has("search")) this.drawers.hideSide();
      drawAll();
    });
    chat.on("attachments", (roomId) => roomId === chat.active?.id && this.#drawComposer());
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
    renderHeading(this.#chat);
    this.messages.render();
    this.people.render();
    this.#drawComposer();
    this.roomList.render();
  }

  #drawComposer() {
    this.#tray.render(this.#chat.active?.id);
    this.attach.hidden = !this.#chat.features.has("files");
    this.composer.render();
  }

  #addFiles(files) {
    if (!this.#chat.attachments.add(this.#chat.active.id, files)) this.banner.notice("No more files go with one message.");
    this.composer.focus();
  }

  #editLast(messages, composer) {
    const last = messages.findLast(({ userId, deleted, metadata }) => userId === this.#chat.me && !deleted && !metadata?.file);
    if (last && this.#chat.features.has("editing")) composer.edit(last);
  }

  #sideChanged(side) {
    if (side !== "thread" && this.#chat.thread) this.#chat.closeThread();
    if (side === "pins") this.pins.render();
  }

  #openThread(messageId) {
    this.drawers.showSide("thread");
    this.#chat.openThread(this.#chat.thread?.room ?? this.#chat.active, messageId);
    this.threadComposer.render();
    this.threadComposer.focus();
  }

  async #goToPlace(roomId, seq) {
    try {
      if (roomId !== this.#chat.active?.id) await this.open(roomId);
      else this.drawers.close();
      this.messages.render();
      if (!(await this.messages.goTo(seq))) this.banner.notice("That message is not there any more.");
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
    line.textContent = `${message.username}: ${message.message}`;
    const announcer = byId("announcer");
    announcer.append(line);
    while (announcer.children.length > 5) announcer.firstElementChild.remove();
  }
}
