import { matching, mentionQuery } from "../model/mentions.js";
import { avatar } from "./avatar.js";
import { h } from "./dom.js";

const mostOptions = 8;

/** Names to complete an @ with, above the text it is typed in. */
export class Completion {
  #text;
  #list;
  #hooks;
  #options = [];
  #at = 0;
  #place = null;

  /**
   * @param hooks candidates(): the people that can be meant, `{userId, name}`; isDone(name): that name was chosen before and needs no
   *   completion; picked(person): their name is now in the text
   */
  constructor(text, list, hooks) {
    this.#text = text;
    this.#list = list;
    this.#hooks = hooks;
    text.setAttribute("aria-controls", list.id);
    text.addEventListener("blur", () => this.close());
    text.addEventListener("click", () => this.update());
  }

  get isOpen() {
    return this.#options.length > 0;
  }

  /** After every change of the text or of the caret. */
  update() {
    const { value, selectionStart, selectionEnd } = this.#text;
    this.#place = selectionStart === selectionEnd ? mentionQuery(value, selectionStart) : null;
    const isOpen = this.#place && !this.#hooks.isDone(this.#place.query);
    this.#options = isOpen ? matching(this.#hooks.candidates(), this.#place.query, mostOptions) : [];
    this.#at = 0;
    this.#draw();
  }

  close() {
    this.#options = [];
    this.#draw();
  }

  /** True when the key was meant for the list. */
  key(event) {
    if (!this.isOpen) return false;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") this.#move(event.key === "ArrowDown" ? 1 : -1);
    else if (event.key === "Enter" || event.key === "Tab") this.#pick(this.#options[this.#at]);
    else if (event.key === "Escape") this.close();
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  #move(by) {
    this.#at = (this.#at + by + this.#options.length) % this.#options.length;
    this.#draw();
  }

  #pick(person) {
    const { value, selectionStart } = this.#text;
    const inserted = `@${person.name} `;
    this.#text.setRangeText(inserted, this.#place.start, selectionStart, "end");
    if (value[selectionStart] === " ") this.#text.setRangeText("", this.#text.selectionStart, this.#text.selectionStart + 1, "end");
    this.close();
    this.#hooks.picked(person);
  }

  #draw() {
    this.#list.hidden = !this.isOpen;
    this.#list.replaceChildren(...this.#options.map((person, index) => this.#option(person, index)));
    if (this.isOpen) this.#text.setAttribute("aria-activedescendant", `${this.#list.id}-${this.#at}`);
    else this.#text.removeAttribute("aria-activedescendant");
    this.#list.children[this.#at]?.scrollIntoView({ block: "nearest" });
  }

  #option(person, index) {
    const { userId, name } = person;
    const attributes = {
      id: `${this.#list.id}-${index}`,
      role: "option",
      "aria-selected": String(index === this.#at),
      // The text keeps the focus.
      on: { pointerdown: (event) => event.preventDefault(), click: () => this.#pick(person) },
    };
    return h("li", attributes, avatar(userId, name, { size: "small" }), h("strong", {}, name), userId !== name && h("small", {}, userId));
  }
}
