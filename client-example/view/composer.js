import { decodeMentions, encodeMentions, readable } from "../model/mentions.js";
import { mayWrite } from "../model/permissions.js";
import { Completion } from "./completion.js";
import { h, icon } from "./dom.js";
import { pickEmoji } from "./emoji-picker.js";
import { plain } from "./text.js";

const typingIdle = 5_000;

/** The field a message is written in, answered with or changed in; each place keeps its draft. */
export class Composer {
  #chat;
  #parts;
  #text;
  #target;
  #hooks;
  #place = null;
  #people = new Map();
  /** `{kind: "reply"|"edit", messageId}`: what the text is for, when it is not simply a new message. */
  #purpose = null;
  #idleTimer = 0;
  #completion;

  /**
   * @param target gives the place written in, `{room, key, replyTo?, placeholder}`, or null
   * @param hooks sent(); messages(): those among which an arrow up finds the last; files(): metadata of files that go with the message
   */
  constructor(chat, parts, target, hooks) {
    this.#chat = chat;
    this.#parts = parts;
    this.#text = parts.text;
    this.#target = target;
    this.#hooks = hooks;
    this.#completion = new Completion(parts.text, parts.options, {
      candidates: () => this.#candidates(),
      isDone: (name) => this.#people.has(name),
      picked: ({ name, userId }) => {
        this.#people.set(name, userId);
        this.#changed();
      },
    });
    parts.text.oninput = () => this.#changed();
    parts.text.onkeydown = (event) => this.#key(event);
    parts.text.onblur = () => this.#stopTyping();
    parts.emoji.onclick = () => pickEmoji(parts.emoji, (emoji) => this.#insert(emoji));
  }

  /** Makes the form of it. */
  attachTo(form) {
    form.replaceChildren(this.#parts.box);
    form.onsubmit = (event) => {
      event.preventDefault();
      this.submit();
    };
  }

  render() {
    const place = this.#target();
    if (place?.key !== this.#place?.key) this.#switchTo(place);
    this.#place = place;
    const reason = closedReason(this.#chat, place?.room);
    this.#parts.line.hidden = Boolean(reason);
    this.#parts.closed.hidden = !reason;
    this.#parts.closed.textContent = reason;
    this.#text.disabled = Boolean(reason);
    this.#text.placeholder = place?.placeholder ?? "Message";
    this.#drawPurpose();
    this.#reflect();
  }

  /** Where focus would bring up an on-screen keyboard, only the user asks for it. */
  focus() {
    if (!matchMedia("(pointer: coarse)").matches) this.#text.focus({ preventScroll: true });
  }

  reply(messageId) {
    if (this.#purpose?.kind === "edit") this.#stopEditing();
    this.#purpose = { kind: "reply", messageId };
    this.#begin();
  }

  /** Puts a person's name where the caret is. */
  mention(userId) {
    const name = this.#chat.directory.nameOf(userId);
    this.#people.set(name, userId);
    this.#insert(`@${name} `);
  }

  /** Changes a message instead of writing one; the draft comes back afterwards. */
  edit(message) {
    if (this.#purpose?.kind !== "edit") this.#keepDraft();
    this.#purpose = { kind: "edit", messageId: message.messageId };
    const { text, people } = decodeMentions(message.message, (userId) => this.#chat.directory.nameOf(userId));
    this.#people = people;
    this.#text.value = text;
    this.#begin();
  }

  /** Ends answering or editing; false when there was nothing to end. */
  cancel() {
    if (!this.#purpose) return false;
    if (this.#purpose.kind === "edit") this.#stopEditing();
    else this.#purpose = null;
    this.#changed();
    this.#drawPurpose();
    return true;
  }

  submit() {
    const text = this.#text.value.trim();
    const { room, replyTo } = this.#place ?? {};
    if (!room || closedReason(this.#chat, room)) return;
    const content = encodeMentions(text, this.#people);
    if (this.#purpose?.kind === "edit") return this.#submitEdit(room, content);
    const files = this.#hooks.files();
    if (!text && files.length === 0) return;
    clearTimeout(this.#idleTimer);
    const answered = this.#purpose?.messageId ?? replyTo;
    for (const message of messagesOf(content, files, answered)) this.#chat.send(room, message);
    this.#empty();
    this.#hooks.sent();
    this.#text.focus({ preventScroll: true });
  }

  #submitEdit(room, content) {
    const { messageId } = this.#purpose;
    if (!content.message) return;
    const isSame = room.find(messageId)?.message === content.message;
    if (!isSame) this.#chat.actions.edit(room, messageId, content);
    this.cancel();
    this.#text.focus({ preventScroll: true });
  }

  #begin() {
    this.#drawPurpose();
    this.#reflect();
    this.#grow();
    this.#text.focus({ preventScroll: true });
    this.#text.setSelectionRange(this.#text.value.length, this.#text.value.length);
  }

  #stopEditing() {
    this.#purpose = null;
    this.#restoreDraft(this.#place);
  }

  #empty() {
    this.#purpose = null;
    this.#people = new Map();
    this.#text.value = "";
    this.#keepDraft();
    this.#drawPurpose();
    this.#grow();
    this.#reflect();
  }

  #switchTo(place) {
    this.#completion.close();
    this.#keepDraft();
    this.#purpose = null;
    this.#restoreDraft(place);
  }

  #keepDraft() {
    if (!this.#place || this.#purpose?.kind === "edit") return;
    const replyTo = this.#purpose?.messageId;
    this.#chat.drafts.set(this.#place.key, { text: this.#text.value, people: [...this.#people], replyTo });
  }

  #restoreDraft(place) {
    const draft = place && this.#chat.drafts.get(place.key);
    this.#text.value = draft?.text ?? "";
    this.#people = new Map(draft?.people ?? []);
    if (draft?.replyTo) this.#purpose = { kind: "reply", messageId: draft.replyTo };
    this.#grow();
  }

  #changed() {
    this.#grow();
    this.#reflect();
    this.#completion.update();
    this.#keepDraft();
    clearTimeout(this.#idleTimer);
    if (this.#text.value.trim() === "" || this.#purpose?.kind === "edit") return this.#stopTyping();
    this.#chat.signals.typing(this.#place.room, true);
    this.#idleTimer = setTimeout(() => this.#stopTyping(), typingIdle);
  }

  #stopTyping() {
    clearTimeout(this.#idleTimer);
    if (this.#place) this.#chat.signals.typing(this.#place.room, false);
  }

  #key(event) {
    if (this.#completion.key(event) || event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey) this.submit();
    else if (event.key === "Escape" && this.#purpose) this.cancel();
    else if (event.key === "ArrowUp" && !event.altKey && this.#text.value === "" && !this.#purpose) this.#editLast();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #editLast() {
    const { me, features } = this.#chat;
    const last = this.#hooks.messages().findLast(({ userId, deleted, metadata }) => userId === me && !deleted && !metadata?.file);
    if (last && features.has("editing")) this.edit(last);
  }

  #insert(text) {
    this.#text.focus({ preventScroll: true });
    this.#text.setRangeText(text, this.#text.selectionStart, this.#text.selectionEnd, "end");
    this.#changed();
  }

  /** The people here, and the authors of what is on the screen. */
  #candidates() {
    const { room } = this.#place;
    const authors = room.shown.messages.slice(-200).map(({ userId }) => userId);
    const userIds = new Set([...room.people.keys(), ...authors, room.partner(this.#chat.me)].filter((id) => id && id !== this.#chat.me));
    return [...userIds].map((userId) => ({ userId, name: this.#chat.directory.nameOf(userId) }));
  }

  #reflect() {
    const hasSomething = this.#text.value.trim() !== "" || this.#parts.tray.querySelector(".is-ready");
    this.#parts.send.disabled = this.#text.disabled || !hasSomething || Boolean(this.#parts.tray.querySelector(".is-uploading"));
  }

  #drawPurpose() {
    const { context } = this.#parts;
    context.hidden = !this.#purpose;
    if (!this.#purpose) return;
    const { kind, messageId } = this.#purpose;
    const message = this.#place?.room.find(messageId);
    const isEdit = kind === "edit";
    const name = message ? (message.username ?? this.#chat.directory.nameOf(message.userId)) : "…";
    const text = message ? plain(readable(message.message, (userId) => this.#chat.directory.nameOf(userId))) : "";
    const cancel = {
      type: "button",
      class: "round small",
      "aria-label": isEdit ? "Stop editing" : "Do not reply",
      on: { click: () => this.cancel() },
    };
    context.replaceChildren(
      icon(isEdit ? "edit" : "reply"),
      h("span", { class: "lines" }, h("strong", {}, isEdit ? "Edit your message" : `Reply to ${name}`), h("small", {}, text.slice(0, 200))),
      h("button", cancel, icon("close")),
    );
  }

  /** As tall as its text, up to the limit the style sheet sets. */
  #grow() {
    this.#text.style.height = "auto";
    this.#text.style.height = `${this.#text.scrollHeight}px`;
  }
}

/** Why nothing can be written there, or an empty text. */
function closedReason(chat, room) {
  if (!room) return "";
  if (room.error) return "You cannot write here.";
  if (chat.moderation.isMuted(room, chat.me)) return "You are muted in this room.";
  return mayWrite(chat, room) ? "" : "Only moderators write in this room.";
}

/** The text goes with the first file; each file is a message of its own. */
function messagesOf({ message, mentions }, files, replyTo) {
  const base = { replyTo: replyTo ?? undefined };
  if (files.length === 0) return [{ ...base, message, mentions: mentions.length > 0 ? mentions : undefined }];
  return files.map((file, index) => ({
    ...base,
    message: (index === 0 && message) || file.name,
    mentions: index === 0 && mentions.length > 0 ? mentions : undefined,
    messageType: file.width ? "image" : "file",
    metadata: { file },
  }));
}
