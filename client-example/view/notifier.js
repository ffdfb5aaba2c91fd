import { readable } from "../model/mentions.js";
import { preferences } from "../model/preferences.js";
import { plain } from "./text.js";

/** Tells the user of messages while the page is out of sight: by a notification, by a sound, as the settings say. */
export class Notifier {
  #chat;
  #onOpen;
  #audio = null;

  /** @param {(roomId: string) => void} onOpen the user clicked on a notification */
  constructor(chat, onOpen) {
    this.#chat = chat;
    this.#onOpen = onOpen;
  }

  /** Asks the browser's leave where it was not given yet; false when there is none. */
  static async allowed() {
    if (!("Notification" in globalThis)) return false;
    if (Notification.permission === "default") return (await Notification.requestPermission()) === "granted";
    return Notification.permission === "granted";
  }

  message({ room, message }) {
    const { notifications, sound } = preferences.get();
    const isWatched = room === this.#chat.active && document.visibilityState === "visible" && document.hasFocus();
    if (isWatched || message.deleted) return;
    const isForMe = room.isDirect || (message.mentions?.includes(this.#chat.me) ?? false);
    if (sound && (isForMe || notifications === "all")) this.#play();
    if (notifications === "all" || (notifications === "mentions" && isForMe)) this.#notify(room, message);
  }

  #notify(room, message) {
    if (!("Notification" in globalThis) || Notification.permission !== "granted") return;
    const { directory, me } = this.#chat;
    const author = message.username ?? directory.nameOf(message.userId);
    const title = room.isDirect ? author : `${author} in ${room.title(me, directory)}`;
    const body = plain(readable(message.message, (userId) => directory.nameOf(userId))).slice(0, 200);
    const notification = new Notification(title, { body, tag: room.id, icon: "/client/icons/icon-192.png" });
    notification.onclick = () => {
      focus();
      this.#onOpen(room.id);
      notification.close();
    };
  }

  /** Two soft notes. */
  #play() {
    try {
      this.#audio ??= new AudioContext();
      const now = this.#audio.currentTime;
      this.#note(660, now);
      this.#note(880, now + 0.11);
    } catch {
      // A browser that plays nothing shows the message all the same.
    }
  }

  #note(frequency, at) {
    const [tone, volume] = [this.#audio.createOscillator(), this.#audio.createGain()];
    tone.frequency.value = frequency;
    volume.gain.setValueAtTime(0.0001, at);
    volume.gain.exponentialRampToValueAtTime(0.12, at + 0.015);
    volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.25);
    tone.connect(volume).connect(this.#audio.destination);
    tone.start(at);
    tone.stop(at + 0.26);
  }
}
