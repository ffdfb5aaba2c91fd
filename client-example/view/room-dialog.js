import { byId, h } from "./dom.js";

/** What the owner of a room can set, the people banned from it, and adding people. */
export class RoomDialog {
  #chat;
  #dialog = byId("room-dialog");
  #form = byId("room-form");
  #error = byId("room-error");

  constructor(chat) {
    this.#chat = chat;
    byId("room-cancel").onclick = () => this.#dialog.close();
    this.#form.onsubmit = (event) => {
      event.preventDefault();
      this.#attempt(() => this.#save());
    };
  }

  show(room) {
    const { settings } = room;
    const { moderation, features } = this.#chat;
    const isOwner = moderation.isOwner(room);
    this.room = room;
    this.#error.hidden = true;
    byId("room-name").value = settings.name ?? "";
    byId("room-name").placeholder = room.id;
    byId("room-private").checked = room.isPrivate;
    byId("room-read-only").checked = settings.readOnly;
    byId("room-slow").value = String(settings.slowModeSeconds ?? 0);
    byId("room-add").value = "";
    byId("room-owner-note").hidden = isOwner;
    byId("room-owner-note").textContent = settings.owner
      ? `Only its owner, ${this.#chat.directory.nameOf(settings.owner)}, can change these.`
      : "This room has no owner: these cannot be changed.";
    byId("room-settings").disabled = !isOwner;
    byId("room-rules").hidden = !features.has("roles");
    byId("room-save").hidden = !isOwner;
    byId("room-add-field").hidden = !isOwner;
    byId("room-cancel").textContent = isOwner ? "Cancel" : "Close";
    this.#showBans();
    this.#dialog.showModal();
  }

  async #save() {
    const chat = this.#chat;
    const fields = { name: byId("room-name").value.trim() || this.room.id, private: byId("room-private").checked };
    if (chat.features.has("roles")) {
      fields.readOnly = byId("room-read-only").checked;
      fields.slowModeSeconds = Number(byId("room-slow").value);
    }
    const names = byId("room-add").value.split(",").filter((text) => text.trim());
    if (names.length > 0) await chat.addPeople(this.room, await chat.find(names));
    await chat.change(this.room, changedOnly(fields, this.room));
    this.#dialog.close();
  }

  async #showBans() {
    const list = byId("room-bans");
    const field = byId("room-bans-field");
    field.hidden = true;
    if (!this.#chat.moderation.mayModerate(this.room)) return;
    const bans = await this.#chat.moderation.bans(this.room).catch(() => []);
    field.hidden = bans.length === 0;
    list.replaceChildren(...bans.map((ban) => this.#ban(ban)));
  }

  #ban({ userId, until, reason }) {
    const name = this.#chat.directory.nameOf(userId);
    const end = until ? `until ${new Date(until).toLocaleString()}` : "until lifted";
    const lift = { type: "button", class: "link", on: { click: () => this.#attempt(() => this.#lift(userId)) } };
    const facts = h("small", {}, [end, reason].filter(Boolean).join(" · "));
    return h("li", {}, h("span", { class: "lines" }, h("strong", {}, name), facts), h("button", lift, "Lift"));
  }

  async #lift(userId) {
    await this.#chat.moderation.unban(this.room, userId);
    await this.#showBans();
  }

  async #attempt(work) {
    try {
      await work();
      this.#error.hidden = true;
    } catch (error) {
      this.#error.textContent = `${error.message} (${error.code})`;
      this.#error.hidden = false;
    }
  }
}

/** What differs from how the room is; where nothing does, the name, so that something is asked. */
function changedOnly(fields, { settings }) {
  const before = { ...settings, slowModeSeconds: settings.slowModeSeconds ?? 0 };
  const changed = Object.entries(fields).filter(([name, value]) => before[name] !== value);
  return changed.length > 0 ? Object.fromEntries(changed) : { name: fields.name };
}
