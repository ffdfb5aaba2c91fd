import { preferences } from "../model/preferences.js";
import { statuses } from "../model/presence.js";
import { socketIOAvailable } from "../net/transport.js";
import { byId, h } from "./dom.js";
import { Notifier } from "./notifier.js";

const transportKey = "chat.transport";

export const chosenTransport = {
  get: () => (localStorage.getItem(transportKey) === "socketio" ? "socketio" : "raw"),
  set: (kind) => localStorage.setItem(transportKey, kind),
};

/** The chosen transport, or the one that needs nothing where the other's client file is gone. */
export async function usableTransport() {
  return chosenTransport.get() === "socketio" && (await socketIOAvailable()) ? "socketio" : "raw";
}

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

  async show() {
    if (this.#dialog.open) return;
    const { userId, username } = this.#chat.identity;
    byId("settings-me").textContent = userId === username ? username : `${username} (${userId})`;
    this.render();
    this.#dialog.showModal();
    await this.#offerSocketIO();
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

  async #offerSocketIO() {
    const isThere = await socketIOAvailable();
    const radio = this.#dialog.querySelector("input[value=socketio]");
    radio.disabled = !isThere;
    if (!isThere) byId("socketio-note").textContent = "Not available: the server has no Socket.IO client file (SOCKETIO_CLIENT_FILE).";
  }

  #switchTo(kind) {
    chosenTransport.set(kind);
    this.#chat.connection.useTransport(kind);
  }
}
