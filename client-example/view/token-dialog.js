import { tabToken } from "../model/identity.js";
import { byId } from "./dom.js";

/** Takes a fresh token before the old one expires. */
export class TokenDialog {
  #dialog = byId("token-dialog");
  #input = byId("fresh-token");
  #error = byId("token-error");

  constructor(chat, onRenewed) {
    byId("token-cancel").onclick = () => this.#dialog.close();
    byId("token-form").onsubmit = (event) => {
      event.preventDefault();
      this.#renew(chat, onRenewed);
    };
  }

  show() {
    this.#input.value = "";
    this.#error.hidden = true;
    if (!this.#dialog.open) this.#dialog.showModal();
  }

  async #renew(chat, onRenewed) {
    const token = this.#input.value.trim();
    if (!token) return;
    try {
      await chat.connection.renewToken(token);
      tabToken.set(token);
      this.#dialog.close();
      onRenewed();
    } catch (error) {
      this.#error.textContent = `${error.message} (${error.code})`;
      this.#error.hidden = false;
    }
  }
}
