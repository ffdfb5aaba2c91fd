import { byId } from "./dom.js";

const narrow = matchMedia("(max-width: 760px)");
const medium = matchMedia("(max-width: 1080px)");
const sideKey = "chat.side";
const sides = ["people", "thread", "search", "pins"];

/**
 * The panels beside the conversation: the rooms on one side; on the other the people, a thread, the search or the pins, one at a
 * time. Columns where there is room for them, drawers over the conversation where there is not.
 */
export class Drawers {
  #app = byId("app");
  #scrim = byId("scrim");
  #opener = null;
  #onSide;

  /** @param {(side: string|null) => void} onSide another panel is shown on that side */
  constructor(onSide) {
    this.#onSide = onSide;
    byId("show-rooms").onclick = () => this.#toggle("rooms");
    byId("show-people").onclick = () => this.toggleSide("people");
    for (const side of sides) byId(side).querySelector(".hide-side").onclick = () => this.hideSide();
    this.#scrim.onclick = () => this.close();
    for (const query of [narrow, medium]) query.onchange = () => this.close();
    this.#app.dataset.side = localStorage.getItem(sideKey) === "none" ? "none" : "people";
    this.#reflect();
  }

  get isOpen() {
    return Boolean(this.#app.dataset.drawer);
  }

  /** The panel that is on the screen, or null. */
  get side() {
    const { drawer, side } = this.#app.dataset;
    const shown = medium.matches ? drawer : side;
    return sides.includes(shown) ? shown : null;
  }

  showSide(side) {
    if (this.side === side) return;
    if (medium.matches) {
      this.#open(side);
    } else {
      this.#app.dataset.side = side;
      if (side === "people") localStorage.setItem(sideKey, "people");
    }
    this.#reflect();
    this.#onSide(this.side);
  }

  toggleSide(side) {
    if (this.side === side) this.hideSide();
    else this.showSide(side);
  }

  hideSide() {
    if (medium.matches) return this.close();
    if (this.side === "people") localStorage.setItem(sideKey, "none");
    const back = this.side !== "people" && localStorage.getItem(sideKey) !== "none" ? "people" : "none";
    this.#app.dataset.side = back;
    this.#reflect();
    this.#onSide(this.side);
  }

  close() {
    if (this.isOpen) this.#opener?.focus();
    const hadSide = sides.includes(this.#app.dataset.drawer);
    delete this.#app.dataset.drawer;
    this.#reflect();
    if (hadSide) this.#onSide(null);
  }

  #toggle(name) {
    if (this.#app.dataset.drawer === name) return this.close();
    this.#open(name);
    this.#reflect();
    byId(name).querySelector("button")?.focus({ preventScroll: true });
  }

  #open(name) {
    if (!this.isOpen) this.#opener = document.activeElement;
    this.#app.dataset.drawer = name;
  }

  /** What is out of sight is out of reach for keyboard and screen reader too. */
  #reflect() {
    const { drawer } = this.#app.dataset;
    const areRoomsShown = !narrow.matches || drawer === "rooms";
    this.#scrim.hidden = !drawer;
    byId("rooms").inert = !areRoomsShown || (Boolean(drawer) && drawer !== "rooms");
    for (const side of sides) byId(side).hidden = this.#app.dataset.side !== side && drawer !== side;
    for (const side of sides) byId(side).inert = this.side !== side;
    this.#app.querySelector(".conversation").inert = Boolean(drawer);
    byId("show-rooms").setAttribute("aria-expanded", String(areRoomsShown));
    byId("show-people").setAttribute("aria-expanded", String(this.side === "people"));
    byId("show-search").setAttribute("aria-expanded", String(this.side === "search"));
  }
}
