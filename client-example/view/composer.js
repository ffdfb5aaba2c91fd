import { byId } from "./dom.js";

const typingIdle = 5_000;
/** Most drafts kept for rooms left in the middle of a sentence. */
const mostDrafts = 50;

/** The field a message is written in; each room keeps its draft. */
export class Composer {
  #chat;
  #onSent;
  #form = byId("composer");
  #text = byId("text");
  #send = byId("send");
  #room = null;
  #drafts = new Map();
  #idleTimer = 0;

  constructor(chat, onSent) {
    this.#chat = chat;
    this.#onSent = onSent;
    this.#form.onsubmit = (event) => {
      event.preventDefault();
      this.#submit();
    };
    this.#text.oninput = () => this.#changed();
    this.#text.onkeydown = (event) => this.#key(event);
    this.#text.onblur = () => this.#stopTyping();
  }

  render() {
    const room = this.#chat.active;
    const isClosed = !room || Boolean(room.error);
    if (room !== this.#room) this.#switchTo(room);
    this.#text.disabled = isClosed;
    this.#text.placeholder = isClosed ? "You cannot write here" : `Message ${room.title(this.#chat.me, this.#chat.directory)}`;
    this.#send.disabled = isClosed || this.#text.value.trim() === "";
  }

  /** Where focus would bring up an on-screen keyboard, only the user asks for it. */
  focus() {
    if (!matchMedia("(pointer: coarse)").matches) this.#text.focus({ preventScroll: true });
  }

  #keepFocus() {
    this.#text.focus({ preventScroll: true });
  }

  #switchTo(room) {
    if (this.#room) this.#keepDraft(this.#room.id, this.#text.value);
    this.#room = room;
    this.#text.value = this.#drafts.get(room?.id) ?? "";
    this.#grow();
  }

  #keepDraft(roomId, text) {
    this.#drafts.delete(roomId);
    if (!text.trim()) return;
    if (this.#drafts.size >= mostDrafts) this.#drafts.delete(this.#drafts.keys().next().value);
    this.#drafts.set(roomId, text);
  }

  #changed() {
    this.#grow();
    this.#send.disabled = this.#text.value.trim() === "";
    clearTimeout(this.#idleTimer);
    if (this.#text.value.trim() === "") return this.#stopTyping();
    this.#chat.signals.typing(this.#room, true);
    this.#idleTimer = setTimeout(() => this.#stopTyping(), typingIdle);
  }

  #stopTyping() {
    clearTimeout(this.#idleTimer);
    if (this.#room) this.#chat.signals.typing(this.#room, false);
  }

  #key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.#submit();
  }

  #submit() {
    const text = this.#text.value.trim();
    if (!text || !this.#room || this.#room.error) return;
    clearTimeout(this.#idleTimer);
    this.#text.value = "";
    this.#grow();
    this.#send.disabled = true;
    this.#chat.send(this.#room, text);
    this.#onSent();
    this.#keepFocus();
  }

  /** As tall as its text, up to the limit the style sheet sets. */
  #grow() {
    this.#text.style.height = "auto";
    this.#text.style.height = `${this.#text.scrollHeight}px`;
  }
}
