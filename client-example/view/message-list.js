import { byId, clearRows, h, icon, reconcile, rememberFocus } from "./dom.js";
import { ListWindow } from "./list-window.js";
import { itemsOf } from "./message-items.js";
import { dayRow, dividerRow, messageRow } from "./message-row.js";

/** How near the end still counts as at the end, in pixels. */
const nearEnd = 60;
/** From how far below the top, or above the bottom, more messages are fetched, in pixels. */
const nearEdge = 300;
/** How long a message that was looked for stands out, in milliseconds. */
const highlightLasts = 2_000;

/** The scrolling list of the open room. Of many messages only those around the view are in the document. */
export class MessageList {
  #chat;
  #context;
  #scroller = byId("scroller");
  #list = byId("messages");
  #older = byId("older");
  #jump = byId("jump");
  #room = null;
  #window = new ListWindow();
  #isAtEnd = true;
  #seenSeq = 0;
  #loadFailed = false;
  #onDrawn = () => {};

  /**
   * @param context what message rows need, see messageRow
   * @param {AbortSignal} signal ends its listening
   */
  constructor(chat, context, signal) {
    this.#chat = chat;
    this.#context = context;
    clearRows(this.#list);
    this.#scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true, signal });
    this.#list.addEventListener("keydown", (event) => this.#key(event), { signal });
    this.#jump.onclick = () => this.goToEnd();
    const resize = new ResizeObserver(() => this.#isAtEnd && this.scrollToEnd());
    resize.observe(this.#scroller);
    signal.addEventListener("abort", () => resize.disconnect());
    document.addEventListener("visibilitychange", () => this.#markRead(), { signal });
  }

  get element() {
    return this.#list;
  }

  set onDrawn(handler) {
    this.#onDrawn = handler;
  }

  render() {
    const room = this.#chat.active;
    const isOtherRoom = room !== this.#room;
    this.#room = room;
    if (isOtherRoom) {
      this.#isAtEnd = true;
      this.#loadFailed = false;
      this.#window.toEnd();
    }
    const anchor = this.#isAtEnd ? null : this.#anchor();
    const refocus = this.#list.contains(document.activeElement) ? rememberFocus() : null;
    this.#draw(room, isOtherRoom);
    if (anchor) this.#restore(anchor);
    else this.#placeView(isOtherRoom);
    if (refocus && !this.#list.contains(document.activeElement)) refocus();
    this.#onDrawn();
    this.#showJump();
    this.#markRead();
    this.#loadMore();
  }

  scrollToEnd({ smooth = false } = {}) {
    if (this.#room?.excerpt || !this.#window.isAtEnd) return;
    this.#isAtEnd = true;
    this.#scroller.scrollTo({ top: this.#scroller.scrollHeight, behavior: smooth ? "smooth" : "instant" });
  }

  /** To the newest message, from the past too. */
  goToEnd() {
    const wasPast = Boolean(this.#room?.excerpt) || !this.#window.isAtEnd;
    this.#isAtEnd = true;
    this.#window.toEnd();
    if (this.#room) this.#chat.history.goToEnd(this.#room);
    if (wasPast) this.render();
    this.scrollToEnd({ smooth: !wasPast });
  }

  /** Shows a message, wherever in the room it stands; false when it is not there. */
  async goTo(seq) {
    const room = this.#room;
    const isThere = await this.#chat.history.goTo(room, seq);
    if (room !== this.#room) return false;
    this.#isAtEnd = false;
    this.#window.around((item) => item.seq === seq);
    this.render();
    const row = this.#list.querySelector(`[data-seq="${seq}"]`);
    if (!row) return false;
    row.scrollIntoView({ block: "center" });
    row.classList.add("is-found");
    setTimeout(() => row.classList.remove("is-found"), highlightLasts);
    row.focus({ preventScroll: true });
    return isThere;
  }

  scrollByPage(direction) {
    this.#scroller.scrollBy({ top: direction * this.#scroller.clientHeight * 0.85, behavior: "smooth" });
  }

  #draw(room, isOtherRoom) {
    if (this.#isAtEnd) room?.timeline.trim();
    const known = isOtherRoom ? null : (this.#list.rowsByKey ?? new Map());
    const items = room ? itemsOf(room, this.#chat) : [];
    const shown = this.#window.of(items);
    reconcile(this.#list, shown.map((item) => ({ ...item, make: () => this.#element(item, known) })));
    this.#showOlder(room, items.length);
    const last = this.#list.querySelector(".message:last-of-type");
    if (last && !this.#list.querySelector('.message[tabindex="0"]')) last.tabIndex = 0;
  }

  #element(item, known) {
    if (item.kind === "day") return dayRow(item.timestamp);
    if (item.kind === "divider") return dividerRow();
    const element = messageRow(item, this.#context);
    if (known && this.#isAtEnd && known.size > 0 && !known.has(item.key)) element.classList.add("arrives");
    return element;
  }

  #showOlder(room, count) {
    const shown = room?.shown;
    const isEmpty = !room?.excerpt && shown?.isPrimed && shown.isComplete && count === 0;
    const state = this.#loadFailed ? "failed" : room?.isLoading || (room && !room.excerpt && !shown.isPrimed) ? "loading" : "";
    const retry = { type: "button", class: "link", on: { click: () => this.#retry() } };
    const text = {
      failed: h("button", retry, "Older messages could not be loaded. Try again"),
      loading: h("span", { class: "quiet" }, room?.error ? "" : "Loading messages…"),
    }[state];
    const beginning = shown?.isComplete && !isEmpty && this.#window.isAtStart && h("span", { class: "quiet" }, "This is where it began.");
    this.#older.replaceChildren(...[text ?? (isEmpty ? emptyRoom() : beginning)].filter(Boolean));
  }

  /** The first row in view, and where it stands: what must not move while rows come in above it. */
  #anchor() {
    const top = this.#scroller.getBoundingClientRect().top;
    const rows = this.#list.children;
    let [low, high] = [0, rows.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (rows[middle].getBoundingClientRect().bottom <= top) low = middle + 1;
      else high = middle;
    }
    for (let at = low; at < rows.length; at += 1) {
      if (rows[at].classList.contains("message")) return { key: rows[at].dataset.key, top: rows[at].getBoundingClientRect().top };
    }
    return null;
  }

  #restore({ key, top }) {
    const element = this.#list.rowsByKey.get(key)?.element;
    if (element) this.#scroller.scrollTop += element.getBoundingClientRect().top - top;
  }

  /** Where a room opens: at its first unread message, else at the end. */
  #placeView(isOtherRoom) {
    this.scrollToEnd();
    const divider = this.#list.querySelector(".unread-divider");
    if (!isOtherRoom || !divider) return;
    const above = divider.getBoundingClientRect().top - this.#scroller.getBoundingClientRect().top;
    if (above >= 0) return;
    this.#scroller.scrollTop += above - 40;
    this.#isAtEnd = false;
  }

  #scrolled() {
    this.#isAtEnd = !this.#room?.excerpt && this.#window.isAtEnd && this.#belowView < nearEnd;
    this.#showJump();
    this.#markRead();
    this.#loadMore();
  }

  get #belowView() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight;
  }

  #showJump() {
    const lastSeq = this.#room?.timeline.newestSeq ?? 0;
    if (this.#isAtEnd) this.#seenSeq = lastSeq;
    const fresh = this.#room?.timeline.messages.filter(({ seq }) => seq > this.#seenSeq).length ?? 0;
    this.#jump.hidden = this.#isAtEnd || !this.#room;
    this.#jump.replaceChildren(icon("down"), fresh > 0 ? `${fresh} new` : "Latest");
  }

  #markRead() {
    if (this.#room?.isJoined && this.#isAtEnd && document.visibilityState === "visible") this.#chat.markRead(this.#room);
  }

  #retry() {
    this.#loadFailed = false;
    this.#loadMore();
  }

  async #loadMore() {
    if (!this.#room) return;
    const [isNearTop, isNearBottom] = [this.#scroller.scrollTop <= nearEdge, this.#belowView < nearEdge];
    if (isNearTop && this.#window.moveUp()) return this.render();
    if (isNearBottom && this.#window.moveDown()) return this.render();
    if (this.#loadFailed) return;
    try {
      if (isNearTop) await this.#chat.history.loadOlder(this.#room);
      if (isNearBottom && this.#room.excerpt) await this.#chat.history.loadNewer(this.#room);
    } catch {
      this.#loadFailed = true;
      this.#showOlder(this.#room, this.#list.children.length);
    }
  }

  /** The arrow keys go from message to message. */
  #key(event) {
    const row = event.target.closest(".message");
    if (!row || event.target !== row || event.altKey) return;
    const rows = [...this.#list.querySelectorAll(".message")];
    const at = rows.indexOf(row);
    const next = { ArrowUp: rows[at - 1], ArrowDown: rows[at + 1], Home: rows[0], End: rows.at(-1) }[event.key];
    if (!next) return;
    event.preventDefault();
    row.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  }
}

function emptyRoom() {
  return h("div", { class: "empty" }, icon("chat"), h("p", {}, "Nothing here yet."), h("p", { class: "quiet" }, "Say the first word."));
}
