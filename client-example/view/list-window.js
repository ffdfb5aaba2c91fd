/** Most rows in the document at once. */
const most = 160;
/** How many rows the window moves by. */
const step = 50;

/** Which part of a long list is in the document: its end, or a stretch that moves as the user scrolls. */
export class ListWindow {
  /** The key of the last item shown, or null at the end of the list. */
  #lastKey = null;
  #wanted = null;
  #items = [];
  #end = 0;

  get isAtEnd() {
    return this.#lastKey === null && !this.#wanted;
  }

  get isAtStart() {
    return this.#start === 0;
  }

  /** The items to show of all of them. An item that is gone leaves the window where it was. */
  of(items) {
    this.#items = items;
    if (this.#wanted) this.#center(items.findIndex(this.#wanted));
    const last = this.#lastKey === null ? -1 : items.findLastIndex(({ key }) => key === this.#lastKey);
    if (this.#lastKey !== null && last < 0) this.#moveTo(Math.min(this.#end, items.length));
    this.#end = last < 0 ? items.length : last + 1;
    return items.slice(this.#start, this.#end);
  }

  toEnd() {
    this.#lastKey = null;
    this.#wanted = null;
  }

  /** Shows the item that matches in the middle, once it is there. */
  around(matches) {
    this.#wanted = matches;
  }

  /** True when there is more above, which is then shown. */
  moveUp() {
    if (this.#start === 0) return false;
    this.#moveTo(Math.max(most, this.#end - step));
    return true;
  }

  moveDown() {
    if (this.#end >= this.#items.length) return false;
    this.#moveTo(this.#end + step);
    return true;
  }

  get #start() {
    return Math.max(0, this.#end - most);
  }

  #center(at) {
    this.#wanted = null;
    if (at >= 0) this.#moveTo(Math.max(most, at + most / 2));
  }

  #moveTo(end) {
    this.#lastKey = end >= this.#items.length ? null : this.#items[end - 1].key;
  }
}
