import { permissions } from "../model/permissions.js";
import { h, icon } from "./dom.js";
import { pickEmoji } from "./emoji-picker.js";
import { quickEmoji } from "./emoji.js";
import { showMenu } from "./menu.js";

/** How near the edge of the list a toolbar may come, in pixels. */
const margin = 8;
const menuName = "Message actions";

/**
 * What can be done with a message, on the one that is pointed at or has the focus. One toolbar serves a whole list, so that a
 * thousand messages have no thousand toolbars.
 */
export class MessageToolbar {
  #chat;
  #list;
  #commands;
  #getRoom;
  #bar = h("div", { class: "toolbar", role: "toolbar", "aria-label": "Message actions" });
  #row = null;

  /** @param commands {react, pickReaction, reply, edit, remove, pin, openThread, copy, flag}, each with a message's id */
  constructor(chat, list, getRoom, commands, signal) {
    this.#chat = chat;
    this.#list = list;
    this.#getRoom = getRoom;
    this.#commands = commands;
    list.addEventListener("pointerover", (event) => event.pointerType !== "touch" && this.#show(event.target), { signal });
    list.addEventListener("pointerleave", () => !this.#hasFocus && this.hide(), { signal });
    list.addEventListener("focusin", (event) => this.#show(event.target), { signal });
    list.addEventListener("focusout", ({ relatedTarget }) => !list.contains(relatedTarget) && this.hide(), { signal });
    list.addEventListener("keydown", (event) => this.#key(event), { signal });
    list.addEventListener("contextmenu", (event) => this.#contextMenu(event), { signal });
  }

  hide() {
    this.#row = null;
    this.#bar.remove();
  }

  /** After the list was drawn anew: its row may be another one, or look different. */
  refresh() {
    if (!this.#row) return;
    const row = this.#row.isConnected ? this.#row : this.#list.querySelector(`[data-id="${CSS.escape(this.#row.dataset.id)}"]`);
    this.#row = null;
    this.#bar.remove();
    if (row) this.#show(row);
  }

  /** The menu of the message of that row. */
  openMenu(row, anchor = row) {
    const message = this.#messageOf(row);
    if (message) showMenu(anchor, menuName, this.#menu(message));
  }

  get #hasFocus() {
    return this.#list.contains(document.activeElement);
  }

  #show(target) {
    const row = target.closest?.(".message");
    if (row === this.#row || this.#bar.querySelector("[aria-expanded=true]")) return;
    const message = row && this.#messageOf(row);
    if (!message) return;
    this.#row = row;
    this.#bar.replaceChildren(...this.#buttons(message));
    row.querySelector(".body").append(this.#bar);
    this.#bar.hidden = this.#bar.children.length === 0;
    this.#keepInside();
  }

  /** Beside a message that is as wide as the list, the toolbar would stick out. */
  #keepInside() {
    this.#bar.style.translate = "";
    const [bar, list] = [this.#bar.getBoundingClientRect(), this.#list.getBoundingClientRect()];
    const shift = Math.min(0, list.right - margin - bar.right) || Math.max(0, list.left + margin - bar.left);
    if (shift !== 0) this.#bar.style.translate = `${shift}px`;
  }

  #messageOf(row) {
    const { id, state } = row.dataset;
    return id && state === "stored" ? this.#getRoom()?.find(id) : null;
  }

  #buttons(message) {
    const room = this.#getRoom();
    const may = permissions(this.#chat, room, message);
    const { messageId } = message;
    const { react, pickReaction, reply } = this.#commands;
    const quick = quickEmoji.map((emoji) => this.#button(`React with ${emoji}`, emoji, () => react(messageId, emoji), "quick"));
    const menu = this.#menu(message);
    return [
      ...(may.react ? quick : []),
      may.react && this.#button("Add a reaction", icon("smile"), (anchor) => pickReaction(messageId, anchor)),
      may.reply && this.#button("Reply", icon("reply"), () => reply(messageId)),
      menu.length > 0 && this.#button("More actions", icon("more"), (anchor) => showMenu(anchor, menuName, menu), "", "menu"),
    ].filter(Boolean);
  }

  #button(label, content, run, kind = "", popup = null) {
    const attributes = {
      type: "button",
      class: kind,
      "aria-label": label,
      title: label,
      "aria-haspopup": popup,
      data: { focus: label },
      on: { click: ({ currentTarget }) => run(currentTarget) },
    };
    return h("button", attributes, content);
  }

  #menu(message) {
    const { messageId, pinned } = message;
    const may = permissions(this.#chat, this.#getRoom(), message);
    const run = (name) => () => this.#commands[name](messageId);
    return [
      may.reply && { label: "Reply", icon: "reply", run: run("reply") },
      may.thread && { label: "Open thread", icon: "thread", run: run("openThread") },
      may.edit && { label: "Edit", icon: "edit", run: run("edit") },
      may.copy && { label: "Copy text", icon: "copy", run: run("copy") },
      may.pin && { label: pinned ? "Unpin" : "Pin", icon: "pin", run: run("pin") },
      may.flag && { label: "Report", icon: "flag", run: run("flag") },
      may.delete && { label: "Delete", icon: "trash", isDangerous: true, run: run("remove") },
    ].filter(Boolean);
  }

  #contextMenu(event) {
    if (getSelection()?.toString() || event.target.closest("a, img")) return;
    const row = event.target.closest(".message");
    if (!row || !this.#messageOf(row)) return;
    event.preventDefault();
    this.openMenu(row, row.querySelector(".bubble, .file, .picture") ?? row);
  }

  #key(event) {
    const row = event.target;
    if (!row.classList?.contains("message")) return;
    const message = this.#messageOf(row);
    if (!message || event.ctrlKey || event.metaKey || event.altKey) return;
    const may = permissions(this.#chat, this.#getRoom(), message);
    const { messageId } = message;
    if (event.key === "Enter") this.openMenu(row, row.querySelector(".bubble") ?? row);
    else if (event.key === "r" && may.reply) this.#commands.reply(messageId);
    else if (event.key === "e" && may.edit) this.#commands.edit(messageId);
    else if (event.key === "+" && may.react) this.#commands.pickReaction(messageId, row.querySelector(".toolbar") ?? row);
    else if (event.key === "Delete" && may.delete) this.#commands.remove(messageId);
    else return;
    event.preventDefault();
  }
}
