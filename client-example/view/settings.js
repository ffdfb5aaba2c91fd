import { preferences } from "../model/preferences.js";
import { statuses } from "../model/statuses.js";
import { byId, h } from "./dom.js";
import { Notifier } from "./notifier.js";

const transportKey = "chat.transport";

export const chosenTransport = {
  get: () => (localStorage.getItem(transportKey) === "socketio" ? "socketio" : "raw"),
  set: (kind) => localStorage.setItem(transportKey, kind),
};

/** Status, notifications, transport, shortcuts, signing out. */
export class Settings {
  #chat;
  #dialog = byId("settings-dialog");
  #status = byId("status");

  constructor(chat, onSignOut) {
    this.#chat = chat;
    this.#status.replaceChildren(...Object.entries(statuses).map(([value, label]) => h("option", { value }, label)));
    this.#status.onchange = () => chat.presence.setStatus(this.#status.value);
    byId("sign-out").onclick = () => {
      this.#dialog.close();
      onSignOut();
    };
    byId("notifications").onchange = () => this.#chooseNotifications();
    byId("sound").onchange = () => preferences.set({ sound: byId("sound").checked });
    for (const radio of this.#radios) radio.onchange = () => this.#switchTo(radio.value);
  }

  show() {
    if (this.#dialog.open) return;
    const { userId, username } = this.#chat.identity;
    byId("settings-me").textContent = userId === username ? username : `${username} (${userId})`;
    this.render();
    this.#dialog.showModal();
  }

  render() {
    const { presence } = this.#chat;
    byId("status-field").hidden = !presence?.isSupported;
    this.#status.value = presence?.own ?? "online";
    byId("notifications").value = preferences.get().notifications;
    byId("sound").checked = preferences.get().sound;
    for (const radio of this.#radios) radio.checked = radio.value === chosenTransport.get();
  }

  /** A browser that allows none has the choice go back. */
  async #chooseNotifications() {
    const field = byId("notifications");
    const isAllowed = field.value === "off" || (await Notifier.allowed());
    byId("notifications-note").hidden = isAllowed;
    preferences.set({ notifications: isAllowed ? field.value : "off" });
    this.render();
  }

  get #radios() {
    return this.#dialog.querySelectorAll("input[name=transport]");
  }

  #switchTo(kind) {
    chosenTransport.set(kind);
    this.#chat.connection.useFraming(kind);
  }
}
