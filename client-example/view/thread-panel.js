import { byId, clearRows, h, reconcile } from "./dom.js";
import { loneItem } from "./message-items.js";
import { messageRow } from "./message-row.js";
import { plural } from "./text.js";

/** A message and its answers, beside the conversation. */
export class ThreadPanel {
  #chat;
  #context;
  #list = byId("thread-list");
  #status = byId("thread-status");
  #scroller = byId("thread-scroller");
  #shown = null;

  constructor(chat, context) {
    this.#chat = chat;
    this.#context = context;
    clearRows(this.#list);
  }

  render() {
    const { thread } = this.#chat;
    if (!thread) return;
    const isAtEnd = this.#scroller.scrollHeight - this.#scroller.scrollTop - this.#scroller.clientHeight < 60;
    const messages = [thread.root, ...thread.replies].filter(Boolean);
    reconcile(this.#list, messages.map((message) => this.#row(message, message === thread.root)));
    this.#status.replaceChildren(...this.#statusParts(thread));
    byId("thread-subtitle").textContent = thread.room.title(this.#chat.me, this.#chat.directory);
    if (isAtEnd || thread !== this.#shown) this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#shown = thread;
  }

  #row(message, isRoot) {
    const item = loneItem({ ...message, replyTo: undefined, replyCount: 0 }, this.#chat.thread.room, this.#chat);
    const signature = `${isRoot} ${message.changeSeq} ${message.deleted} ${message.message} ${JSON.stringify(message.reactions)} ${item.isGoing} ${item.edit?.message}`;
    const make = () => {
      const row = messageRow({ ...item, isOwn: false }, this.#context);
      row.classList.toggle("is-root", isRoot);
      return row;
    };
    return { key: message.messageId, signature, make };
  }

  #statusParts(thread) {
    const again = { type: "button", class: "link", on: { click: () => this.#chat.moreOfThread() } };
    if (thread.state === "failed") return ["The replies could not be loaded. ", h("button", again, "Try again")];
    if (thread.state === "loading" && thread.replies.length === 0) return ["Loading replies…"];
    if (thread.hasMore) return [h("button", again, "Show more")];
    return [thread.replies.length > 0 ? plural(thread.replies.length, "reply", "replies") : "No replies yet."];
  }
}
