import { byId } from "./dom.js";

/** Asks before a room is left; a direct chat, which comes back by itself, is closed without a question. */
export class LeaveDialog {
  #dialog = byId("leave-dialog");
  #onLeave;

  constructor(onLeave) {
    this.#onLeave = onLeave;
  }

  show(room, title) {
    if (room.isDirect || room.error) return this.#onLeave(room);
    byId("leave-title").textContent = `Leave “${title}”?`;
    byId("leave-hint").textContent = room.isPrivate
      ? "It is private: its owner has to add you before you can come in again."
      : "You can come in again by its name.";
    byId("leave-confirm").onclick = () => this.#onLeave(room);
    this.#dialog.showModal();
  }
}
