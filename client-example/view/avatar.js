import { statusName } from "../model/statuses.js";
import { h, icon } from "./dom.js";
import { hueOf, initials } from "./text.js";

/** A round badge with a person's initials and, where it is known, their status. */
export function avatar(userId, name, { status, size = "" } = {}) {
  const dot = status && h("span", { class: `status-dot is-${status}`, title: statusName(status) });
  const letters = size === "tiny" ? initials(name).slice(0, 1) : initials(name);
  return h("span", { class: `avatar hue-${hueOf(userId)} ${size}`, "aria-hidden": "true" }, letters, dot);
}

/** The badge of a room; a lock says that it is private. */
export function roomBadge(size = "", isPrivate = false) {
  return h("span", { class: `avatar room-badge ${size}`, "aria-hidden": "true" }, isPrivate ? icon("lock") : "#");
}
