import { byId, h } from "./dom.js";
import { plural } from "./text.js";

const goodNewsLasts = 5_000;
/** Shorter interruptions are not shown, in milliseconds. */
const shownAfter = 400;

const stopped = {
  replaced: "This session was replaced by a newer one.",
  stop: "The server closed the connection",
};

/** One line above the messages about the connection, or about something the user should know. */
export class Banner {
  #chat;
  #onRenew;
  #element = byId("banner");
  #timer = 0;
  #ticker = 0;

  constructor(chat, onRenew) {
    this.#chat = chat;
    this.#onRenew = onRenew;
  }

  connection(state) {
    clearInterval(this.#ticker);
    if (state.name === "online") return this.#catchingUp();
    if (state.name === "connecting") return this.#later("Reconnecting…");
    if (state.name === "waiting") return this.#countDown(state);
    if (state.name === "offline") return this.#show("wait", "You are offline. What you write is sent when the network is back.");
    if (state.name === "stopped") return this.#stopped(state);
  }

  resumed({ missed, isPartial }) {
    if (isPartial) return this.#passing("good", "Back online · more was missed than is shown, scroll up for the rest");
    const text = missed > 0 ? `Back online · ${plural(missed, "missed message")}` : "Back online · nothing missed";
    this.#passing("good", text);
  }

  resynced(title) {
    this.#passing("note", `You were away for long: ${title} shows the newest messages, scroll up for the ones between.`);
  }

  notice(text) {
    this.#passing("note", text);
  }

  expiring() {
    this.#show("note", "Your sign-in is about to expire.", this.#button("Renew", this.#onRenew));
  }

  hide() {
    clearTimeout(this.#timer);
    clearInterval(this.#ticker);
    this.#element.hidden = true;
    delete this.#element.dataset.tone;
  }

  #catchingUp() {
    clearTimeout(this.#timer);
    if (!this.#element.hidden) this.#show("wait", "Catching up…");
  }

  #stopped({ why, code, reason }) {
    const text = stopped[why] ?? stopped.stop;
    const detail = why === "replaced" ? text : `${text} (${code}${reason ? `: ${reason}` : ""}).`;
    this.#show("bad", detail, this.#tryNow(why === "replaced" ? "Use it here" : "Connect again"));
  }

  #countDown({ retryAt }) {
    const draw = () => {
      const seconds = Math.max(0, Math.ceil((retryAt - Date.now()) / 1000));
      const text = seconds > 1 ? `Reconnecting in ${seconds} s…` : "Reconnecting…";
      this.#show("wait", text, this.#tryNow("Try now"));
    };
    draw();
    this.#ticker = setInterval(draw, 1000);
  }

  #later(text) {
    if (!this.#element.hidden && this.#element.dataset.tone === "wait") return this.#show("wait", text);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#show("wait", text), shownAfter);
  }

  #passing(tone, text) {
    this.#show(tone, text);
    this.#timer = setTimeout(() => this.hide(), goodNewsLasts);
  }

  #tryNow(label) {
    return this.#button(label, () => this.#chat.connection.retryNow());
  }

  #button(label, click) {
    return h("button", { type: "button", class: "link", on: { click } }, label);
  }

  #show(tone, text, ...actions) {
    clearTimeout(this.#timer);
    this.#element.dataset.tone = tone;
    this.#element.hidden = false;
    this.#element.replaceChildren(h("span", { class: "banner-text" }, text), ...actions);
  }
}
