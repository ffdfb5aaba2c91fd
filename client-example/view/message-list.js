import { byId, clearRows, h, icon, reconcile } from "./dom.js";
import { itemsOf } from "./message-items.js";
import { dayRow, dividerRow, messageRow } from "./message-row.js";

/** How near the end still counts as at the end, in pixels. */
const nearEnd = 60;
/** From how far below the top older messages are fetched, in pixels. */
const nearTop = 300;

/** The scrolling list of the open room. */
export class MessageList {
  #chat;
  #scroller = byId("scroller");
  #list = byId("messages");
  #older = byId("older");
  #jump = byId("jump");
  #room = null;
  #isAtEnd = true;
  #seenSeq = 0;
  #loadFailed = false;

  /** @param {AbortSignal} signal ends its listening */
  constructor(chat, signal) {
    this.#chat = chat;
    clearRows(this.#list);
    this.#scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true, signal });
    this.#jump.onclick = () => this.scrollToEnd({ smooth: true });
    const resize = new ResizeObserver(() => this.#isAtEnd && this.scrollToEnd());
    resize.observe(this.#scroller);
    signal.addEventListener("abort", () => resize.disconnect());
    document.addEventListener("visibilitychange", () => this.#markRead(), { signal });
  }

  render() {
    const room = this.#chat.active;
    const isOtherRoom = room !== this.#room;
    this.#room = room;
    if (isOtherRoom) this.#isAtEnd = true;
    if (isOtherRoom) this.#loadFailed = false;
    const anchor = this.#isAtEnd ? null : this.#anchor();
    this.#draw(room, isOtherRoom);
    if (anchor) this.#restore(anchor);
    else this.#settle(isOtherRoom);
    this.#showJump();
    this.#markRead();
    this.#loadOlder();
  }

  scrollToEnd({ smooth = false } = {}) {
    this.#isAtEnd = true;
    this.#scroller.scrollTo({ top: this.#scroller.scrollHeight, behavior: smooth ? "smooth" : "instant" });
  }

  scrollByPage(direction) {
    this.#scroller.scrollBy({ top: direction * this.#scroller.clientHeight * 0.85, behavior: "smooth" });
  }

  #draw(room, isOtherRoom) {
    if (this.#isAtEnd) room?.timeline.trim();
    const known = isOtherRoom ? null : (this.#list.rowsByKey ?? new Map());
    const items = room ? itemsOf(room, this.#chat) : [];
    reconcile(this.#list, items.map((item) => this.#row(item, known)));
    this.#showOlder(room, items.length);
  }

  #row(item, known) {
    const { entry, ...shown } = item;
    return { key: item.key, signature: JSON.stringify(shown), make: () => this.#element(item, known) };
  }

  #element(item, known) {
    if (item.kind === "day") return dayRow(item.timestamp);
    if (item.kind === "divider") return dividerRow();
    const element = messageRow(item, {
      retry: (entry) => this.#chat.retry(entry),
      discard: (entry) => this.#chat.sender.discard(entry),
    });
    if (known && this.#isAtEnd && known.size > 0 && !known.has(item.key)) element.classList.add("arrives");
    return element;
  }

  #showOlder(room, count) {
    const isEmpty = room?.timeline.isPrimed && room.timeline.isComplete && count === 0;
    const state = this.#loadFailed ? "failed" : room?.isLoadingOlder || (room && !room.timeline.isPrimed) ? "loading" : "";
    const retry = { type: "button", class: "link", on: { click: () => this.#retryOlder() } };
    const text = {
      failed: h("button", retry, "Older messages could not be loaded. Try again"),
      loading: h("span", { class: "quiet" }, room?.error ? "" : "Loading messages…"),
    }[state];
    const beginning = room?.timeline.isComplete && !isEmpty && h("span", { class: "quiet" }, "This is where it began.");
    this.#older.replaceChildren(...[text ?? (isEmpty ? emptyRoom() : beginning)].filter(Boolean));
  }

  /** The first row in view, and where it stands: what must not move while rows come in above it. */
  #anchor() {
    const top = this.#scroller.getBoundingClientRect().top;
    for (const row of this.#list.children) {
      const box = row.getBoundingClientRect();
      if (box.bottom > top && row.classList.contains("message")) return { key: row.dataset.key, top: box.top };
    }
    return null;
  }

  #restore({ key, top }) {
    const element = this.#list.rowsByKey.get(key)?.element;
    if (element) this.#scroller.scrollTop += element.getBoundingClientRect().top - top;
  }

  /** Where a room opens: at its first unread message, else at the end. */
  #settle(isOtherRoom) {
    this.scrollToEnd();
    const divider = this.#list.querySelector(".unread-divider");
    if (!isOtherRoom || !divider) return;
    const above = divider.getBoundingClientRect().top - this.#scroller.getBoundingClientRect().top;
    if (above >= 0) return;
    this.#scroller.scrollTop += above - 40;
    this.#isAtEnd = false;
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    this.#isAtEnd = scrollHeight - scrollTop - clientHeight < nearEnd;
    this.#showJump();
    this.#markRead();
    this.#loadOlder();
  }

  #showJump() {
    const lastSeq = this.#room?.timeline.lastSeq ?? 0;
    if (this.#isAtEnd) this.#seenSeq = lastSeq;
    const fresh = Math.max(0, lastSeq - this.#seenSeq);
    this.#jump.hidden = this.#isAtEnd;
    this.#jump.replaceChildren(icon("down"), fresh > 0 ? `${fresh} new` : "Latest");
  }

  #markRead() {
    if (this.#room?.isJoined && this.#isAtEnd && document.visibilityState === "visible") this.#chat.markRead(this.#room);
  }

  #retryOlder() {
    this.#loadFailed = false;
    this.#loadOlder();
  }

  async #loadOlder() {
    if (!this.#room || this.#loadFailed || this.#scroller.scrollTop > nearTop) return;
    try {
      await this.#chat.loadOlder(this.#room);
    } catch {
      this.#loadFailed = true;
      this.#showOlder(this.#room, this.#list.children.length);
    }
  }
}

function emptyRoom() {
  return h("div", { class: "empty" }, icon("chat"), h("p", {}, "Nothing here yet."), h("p", { class: "quiet" }, "Say the first word."));
}
