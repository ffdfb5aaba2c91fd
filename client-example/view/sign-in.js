import { lastName, userIdFrom } from "../model/identity.js";
import { byId } from "./dom.js";

const hints = {
  name: "The name says who you are; this server takes your word for it.",
  token: "A signed token from your application. It stays in this tab.",
};

/** Asks who the user is; `onSubmit` gets {userId, username} or {token}. */
export class SignIn {
  #form = byId("sign-in-form");
  #button = byId("sign-in-button");
  #error = byId("sign-in-error");
  #name = byId("name");
  #token = byId("token");

  constructor(onSubmit) {
    this.#form.addEventListener("change", () => this.#choose());
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit(onSubmit);
    });
  }

  show({ way = "name", name = lastName.get(), error = null } = {}) {
    byId("sign-in").hidden = false;
    this.#form.elements.way.value = way;
    this.#name.value = name;
    this.#choose();
    this.#busy(false);
    this.#say(error);
  }

  /** While the first connection is under way. */
  connecting(text = "Connecting…") {
    this.#busy(true, text);
    this.#say(null);
  }

  hide() {
    byId("sign-in").hidden = true;
    this.#token.value = "";
  }

  get #way() {
    return this.#form.elements.way.value;
  }

  #choose() {
    const isToken = this.#way === "token";
    byId("token-field").hidden = !isToken;
    byId("name-field").hidden = isToken;
    byId("sign-in-hint").textContent = hints[this.#way];
    (isToken ? this.#token : this.#name).focus();
  }

  #submit(onSubmit) {
    if (this.#way === "token") {
      const token = this.#token.value.trim();
      return token ? onSubmit({ token }) : this.#say({ message: "Paste a token first." });
    }
    const username = this.#name.value.trim();
    const userId = userIdFrom(username);
    if (!userId) return this.#say({ message: "Enter a name first." });
    lastName.set(username);
    onSubmit({ userId, username });
  }

  #busy(isBusy, text = "Sign in") {
    this.#button.disabled = isBusy;
    this.#button.textContent = text;
  }

  #say(error) {
    this.#error.hidden = !error;
    this.#error.textContent = error ? [error.message, error.code && `(${error.code})`].filter(Boolean).join(" ") : "";
  }
}
