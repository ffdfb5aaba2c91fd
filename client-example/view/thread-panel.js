import { Composer } from "./composer.js";
import { composerForm } from "./composer-form.js";
import { byId, clearRows, h, reconcile } from "./dom.js";
import { messageCommands } from "./message-commands.js";
import { loneItem } from "./message-items.js";
import { messageRow } from "./message-row.js";
import { MessageToolbar } from "./message-toolbar.js";
import { plural } from "./text.js";

/** A message and its answers, beside the conversation. */
export class ThreadPanel {
  #chat;
  #context;
  #list = byId("thread-list");
  #status = byId("thread-status");
  #scroller = byId("thread-scroller");
  #toolbar;
  #composer;
  #shown = null;

  /** The parameters are those of a conversation. */
  constructor(chat, page, context, signal) {
    this.#chat = chat;
    clearRows(this.#list);
    const room = () => chat.thread?.room;
    const commands = messageCommands(chat, room, { ...page, composer: () => this.#composer });
    this.#context = { ...context, actions: commands };
    this.#toolbar = new MessageToolbar(chat, this.#list, room, { ...commands, reply: () => this.focus() }, signal);
    this.#composer = new Composer(chat, composerForm({ id: "thread-text", label: "Reply" }), () => this.#place(), {
      sent: () => {},
      messages: () => chat.thread.replies,
      files: () => [],
    });
    this.#composer.attachTo(byId("thread-composer"));
  }

  focus() {
    this.#composer.focus();
  }

  render() {
    const { thread } = this.#chat;
    this.#composer.render();
    if (!thread) return;
    const isAtEnd = this.#scroller.scrollHeight - this.#scroller.scrollTop - this.#scroller.clientHeight < 60;
    const messages = [thread.root, ...thread.replies].filter(Boolean);
    reconcile(this.#list, messages.map((message) => this.#row(message, message === thread.root)));
    this.#status.replaceChildren(...this.#statusParts(thread));
    byId("thread-subtitle").textContent = thread.room.title(this.#chat.me, this.#chat.directory);
    if (isAtEnd || thread !== this.#shown) this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#shown = thread;
    this.#toolbar.refresh();
  }

  #place() {
    const { thread } = this.#chat;
    return thread && { room: thread.room, key: `${thread.room.id}\n${thread.rootId}`, replyTo: thread.rootId, placeholder: "Reply…" };
  }

  /** Here every message stands on the same side, and what it answers is on top. */
  #row(message, isRoot) {
    const item = loneItem(message, this.#chat.thread.room, this.#chat);
    const make = () => {
      const content = { ...message, replyCount: 0 };
      const row = messageRow({ ...item, content, quote: null, isOwn: false }, this.#context);
      row.classList.toggle("is-root", isRoot);
      return row;
    };
    return { key: message.messageId, signature: `${isRoot} ${item.signature}`, make };
  }

  #statusParts(thread) {
    const again = { type: "button", class: "link", on: { click: () => this.#chat.threads.more() } };
    if (thread.state === "failed") return ["The replies could not be loaded. ", h("button", again, "Try again")];
    if (thread.state === "loading" && thread.replies.length === 0) return ["Loading replies…"];
    if (thread.hasMore) return [h("button", again, "Show more")];
    return [thread.replies.length > 0 ? plural(thread.replies.length, "reply", "replies") : "No replies yet."];
  }
}
