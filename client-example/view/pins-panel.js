import { loadPins } from "../model/pins.js";
import { byId } from "./dom.js";
import { resultRow } from "./result-row.js";

/** The open room's pinned messages. */
export class PinsPanel {
  #chat;
  #people;
  #onOpen;
  #list = byId("pins-list");
  #status = byId("pins-status");

  /** @param {(roomId: string, seq: number) => void} onOpen leads to a message */
  constructor(chat, people, onOpen) {
    this.#chat = chat;
    this.#people = people;
    this.#onOpen = onOpen;
  }

  async render() {
    const room = this.#chat.active;
    if (!room) return;
    try {
      const pins = await this.#chat.features.attempt("pins", () => loadPins(this.#chat.api, room));
      if (room !== this.#chat.active) return;
      const rows = pins.map((message) => resultRow(message, { people: this.#people, onOpen: () => this.#onOpen(room.id, message.seq) }));
      this.#list.replaceChildren(...rows);
      this.#status.textContent = pins.length === 0 ? "Nothing is pinned in this room." : "";
    } catch (error) {
      this.#list.replaceChildren();
      this.#status.textContent = error.message;
    }
  }
}
