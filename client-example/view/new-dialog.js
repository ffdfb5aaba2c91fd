import { roomIdFrom, userIdFrom } from "../model/identity.js";
import { byId } from "./dom.js";

const texts = {
  room: { label: "Room name", placeholder: "lobby", hint: "Joins the room of that name, or makes it." },
  direct: { label: "Person’s name", placeholder: "Ben", hint: "Only the two of you can read it." },
};

/** Joins or makes a room, or starts a direct chat. */
export class NewDialog {
  #chat;
  #onOpened;
  #dialog = byId("new-dialog");
  #form = byId("new-form");
  #name = byId("new-name");
  #error = byId("new-error");

  constructor(chat, onOpened) {
    this.#chat = chat;
    this.#onOpened = onOpened;
    this.#form.onchange = () => this.#choose();
    byId("new-cancel").onclick = () => this.#dialog.close();
    this.#form.onsubmit = (event) => {
      event.preventDefault();
      this.#submit();
    };
  }

  show() {
    if (this.#dialog.open) return;
    this.#form.reset();
    this.#choose();
    this.#dialog.showModal();
    this.#name.focus();
  }

  get #kind() {
    return this.#form.elements.kind.value;
  }

  #choose() {
    const { label, placeholder, hint } = texts[this.#kind];
    const isRoom = this.#kind === "room";
    byId("new-label").textContent = label;
    this.#name.placeholder = placeholder;
    const isPrivate = isRoom && byId("new-private").checked;
    byId("private-field").hidden = !isRoom;
    byId("invite-field").hidden = !isPrivate;
    byId("new-hint").textContent = isPrivate ? "Only you and the people you add can read it." : hint;
    this.#say("");
  }

  async #submit() {
    const name = this.#name.value.trim();
    const id = roomIdFrom(name);
    if (!id) return this.#say("Enter a name first.");
    try {
      const room = await this.#open(name, id);
      this.#dialog.close();
      this.#onOpened(room.id);
    } catch (error) {
      this.#say(`${error.message} (${error.code ?? error.name})`);
    }
  }

  #open(name, id) {
    if (this.#kind === "direct") {
      if (id === this.#chat.me) throw new Error("That is you.");
      return this.#chat.startDirect(id);
    }
    if (!byId("new-private").checked) return this.#chat.open(id);
    const people = byId("new-invite").value.split(",").map(userIdFrom).filter(Boolean);
    return this.#chat.createPrivate(id, name, people);
  }

  #say(text) {
    this.#error.textContent = text;
    this.#error.hidden = text === "";
  }
}
