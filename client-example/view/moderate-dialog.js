import { byId } from "./dom.js";

const hour = 3_600_000;
const kinds = {
  mute: { title: "Mute", hint: "They can read and not write.", confirm: "Mute" },
  ban: { title: "Ban", hint: "They are out of the room at once and cannot come back, read or write until it ends.", confirm: "Ban" },
};

/** Asks for how long a person is muted or banned, and why. */
export class ModerateDialog {
  #dialog = byId("moderate-dialog");
  #onDecided;

  /** @param {(kind: string, userId: string, {until?: number, reason: string}) => Promise<void>} onDecided */
  constructor(onDecided) {
    this.#onDecided = onDecided;
    byId("moderate-cancel").onclick = () => this.#dialog.close();
  }

  show(kind, userId, name) {
    const { title, hint, confirm } = kinds[kind];
    const [form, error] = [byId("moderate-form"), byId("moderate-error")];
    byId("moderate-title").textContent = `${title} ${name}?`;
    byId("moderate-hint").textContent = hint;
    byId("moderate-confirm").textContent = confirm;
    byId("moderate-reason-field").hidden = kind !== "ban";
    error.hidden = true;
    form.reset();
    form.onsubmit = async (event) => {
      event.preventDefault();
      const hours = Number(byId("moderate-span").value);
      const until = hours > 0 ? Date.now() + hours * hour : undefined;
      try {
        await this.#onDecided(kind, userId, { until, reason: byId("moderate-reason").value.trim() });
        this.#dialog.close();
      } catch (refusal) {
        error.textContent = `${refusal.message} (${refusal.code})`;
        error.hidden = false;
      }
    };
    this.#dialog.showModal();
  }
}
