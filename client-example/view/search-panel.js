import { Search } from "../model/search.js";
import { byId, h } from "./dom.js";
import { resultRow } from "./result-row.js";

/** How long the user may pause in a word before it is searched for, in milliseconds. */
const typingPause = 250;

/** Finds messages by their words, in this room or in all of them. */
export class SearchPanel {
  #chat;
  #people;
  #onOpen;
  #search;
  #form = byId("search-form");
  #field = byId("search-text");
  #results = byId("search-results");
  #status = byId("search-status");
  #timer = 0;

  /** @param {(roomId: string, seq: number) => void} onOpen leads to a result */
  constructor(chat, people, onOpen) {
    this.#chat = chat;
    this.#people = people;
    this.#onOpen = onOpen;
    this.#search = new Search(chat.api);
    this.#field.value = "";
    this.#form.onsubmit = (event) => {
      event.preventDefault();
      this.#find();
    };
    this.#field.oninput = () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#find(), typingPause);
    };
    for (const radio of this.#form.elements.scope) radio.onchange = () => this.#find();
    this.#draw();
  }

  focus() {
    this.#field.focus({ preventScroll: true });
    this.#field.select();
  }

  /** Another room is open: what was found in the one before is not of this one. */
  roomChanged() {
    if (this.#isThisRoomOnly && this.#search.query) this.#find();
  }

  get #isThisRoomOnly() {
    return this.#form.elements.scope.value === "room";
  }

  #find() {
    clearTimeout(this.#timer);
    const roomId = this.#isThisRoomOnly ? this.#chat.active?.id : undefined;
    return this.#attempt(() => this.#search.find(this.#field.value, roomId));
  }

  async #attempt(work) {
    const running = this.#chat.features.attempt("search", work);
    this.#draw();
    try {
      await running;
    } catch (error) {
      this.#status.textContent = error.message;
    }
    this.#draw();
  }

  #draw() {
    const { state, results, hasMore } = this.#search;
    this.#results.replaceChildren(...results.map((message) => this.#row(message)));
    const more = { type: "button", class: "link", on: { click: () => this.#attempt(() => this.#search.more()) } };
    if (state === "running") this.#status.textContent = "Searching…";
    else if (state === "done" && results.length === 0) this.#status.textContent = "Nothing was found.";
    else if (state === "idle") this.#status.textContent = "Words, “phrases in quotes”, or the beginning of a word and a *.";
    else if (state === "done") this.#status.replaceChildren(hasMore ? h("button", more, "Show more") : "That is all.");
  }

  #row(message) {
    const room = this.#chat.rooms.known(message.roomId);
    const place = this.#isThisRoomOnly ? "" : (room?.title(this.#chat.me, this.#chat.directory) ?? message.roomId);
    return resultRow(message, { people: this.#people, place, onOpen: () => this.#onOpen(message.roomId, message.seq) });
  }
}
