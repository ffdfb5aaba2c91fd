import { byId } from "./dom.js";

const narrow = matchMedia("(max-width: 760px)");
const medium = matchMedia("(max-width: 1080px)");
const peopleKey = "chat.showPeople";

/** The side panels: columns where there is room for them, drawers over the conversation where there is not. */
export class Drawers {
  #app = byId("app");
  #scrim = byId("scrim");
  #opener = null;

  constructor() {
    byId("show-rooms").onclick = () => this.#toggle("rooms");
    byId("show-people").onclick = () => (medium.matches ? this.#toggle("people") : this.#showColumn(!this.#isColumnShown));
    byId("hide-people").onclick = () => (medium.matches ? this.close() : this.#showColumn(false));
    this.#scrim.onclick = () => this.close();
    for (const query of [narrow, medium]) query.onchange = () => this.close();
    this.#showColumn(localStorage.getItem(peopleKey) !== "no");
    this.#reflect();
  }

  get isOpen() {
    return Boolean(this.#app.dataset.drawer);
  }

  close() {
    if (this.isOpen) this.#opener?.focus();
    delete this.#app.dataset.drawer;
    this.#reflect();
  }

  get #isColumnShown() {
    return this.#app.dataset.people !== "hidden";
  }

  #showColumn(isShown) {
    this.#app.dataset.people = isShown ? "shown" : "hidden";
    localStorage.setItem(peopleKey, isShown ? "yes" : "no");
    this.#reflect();
  }

  #toggle(name) {
    if (this.#app.dataset.drawer === name) return this.close();
    this.#app.dataset.drawer = name;
    this.#opener = document.activeElement;
    this.#reflect();
    byId(name).querySelector("button")?.focus({ preventScroll: true });
  }

  /** What is out of sight is out of reach for keyboard and screen reader too. */
  #reflect() {
    const drawer = this.#app.dataset.drawer;
    const areRoomsShown = !narrow.matches || drawer === "rooms";
    const arePeopleShown = medium.matches ? drawer === "people" : this.#isColumnShown;
    this.#scrim.hidden = !drawer;
    byId("rooms").inert = !areRoomsShown;
    byId("people").inert = !arePeopleShown;
    this.#app.querySelector(".conversation").inert = Boolean(drawer);
    byId("show-rooms").setAttribute("aria-expanded", String(areRoomsShown));
    byId("show-people").setAttribute("aria-expanded", String(arePeopleShown));
  }
}
