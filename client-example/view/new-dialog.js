import { roomIdFrom } from "../model/identity.js";
import { byId } from "./dom.js";

const texts = {
  room: { label: "Room name", placeholder: "lobby", hint: "Joins the room of that name, or makes it." },
  direct: { label: "Person’s name or id", placeholder: "Ben", hint: "Only the two of you can read it." },
};

/** Joins or makes a room, or starts a direct chat. */
export class NewDialog {
  #chat;
  #onMade;
  #dialog = byId("new-dialog");
  #form = byId("new-form");
  #name = byId("new-name");
  #error = byId("new-error");

  constructor(chat, onMade) {
    this.#chat = chat;
    this.#onMade = onMade;
    // A click on Open ends the typing, too: the button must not move away under it because the error goes.
    this.#form.onchange = ({ target }) => target.matches("[type=radio], [type=checkbox]") && this.#choose();
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
    if (!roomIdFrom(name)) return this.#say("Enter a name first.");
    try {
      const roomId = await this.#make(name);
      this.#dialog.close();
      this.#onMade(roomId);
    } catch (error) {
      this.#say(explained(error));
    }
  }

  async #make(name) {
    const chat = this.#chat;
    if (this.#kind === "direct") {
      const [userId] = await chat.find([name]);
      if (userId === chat.me) throw new Error("That is you.");
      return chat.makeDirect(userId);
    }
    const id = roomIdFrom(name);
    if (!byId("new-private").checked) return id;
    const names = byId("new-invite").value.split(",").filter((text) => text.trim());
    return chat.makePrivate(id, name, names.length > 0 ? await chat.find(names) : []);
  }

  #say(text) {
    this.#error.textContent = text;
    this.#error.hidden = text === "";
  }
}

/** What this page found out by itself needs no code. */
const explained = (error) => (ownFindings.has(error.code ?? "") ? error.message : `${error.message} (${error.code})`);
const ownFindings = new Set(["", "unknown_user", "ambiguous_name"]);
