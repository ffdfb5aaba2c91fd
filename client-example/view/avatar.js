import { statusName } from "../model/presence.js";
import { h } from "./dom.js";
import { hueOf, initials } from "./text.js";

/** A round badge with someone's initials and, where it is known, their status. */
export function avatar(userId, name, { status, size = "" } = {}) {
  const dot = status && h("span", { class: `status-dot is-${status}`, title: statusName(status) });
  const letters = size === "tiny" ? initials(name).slice(0, 1) : initials(name);
  return h("span", { class: `avatar hue-${hueOf(userId)} ${size}`, "aria-hidden": "true" }, letters, dot);
}

export function roomBadge() {
  return h("span", { class: "avatar room-badge", "aria-hidden": "true" }, "#");
}
