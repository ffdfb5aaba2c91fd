import { find } from "./dom.js";

/**
 * Asks before an act.
 *
 * @returns the terms of the act, `{until?, reason?}`; null where the operator cancelled.
 */
export function confirm({ title, text, verb, hasTerms = false }) {
  const dialog = find("confirm");
  const form = find("confirm-form");
  form.reset();
  find("confirm-title").textContent = title;
  find("confirm-text").textContent = text;
  find("confirm-yes").textContent = verb;
  find("confirm-terms").hidden = !hasTerms;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      if (dialog.returnValue !== "confirm") return resolve(null);
      const [span, reason] = [form.elements.span.value, form.elements.reason.value.trim()];
      resolve({ ...(span && { until: Date.now() + Number(span) }), ...(reason && { reason }) });
    }, { once: true });
  });
}
