import { h, icon } from "./dom.js";
import { showPopup } from "./popup.js";

/**
 * A menu of actions beside a button.
 * @param {({label: string, icon?: string, isDangerous?: boolean, run: () => void} | null)[]} items null is a line between
 */
export function showMenu(anchor, label, items, header = null) {
  const list = h("div", { class: "menu", role: "menu", "aria-label": label });
  const menu = header ? h("div", { class: "menu-with-header" }, header, list) : list;
  let close = () => {};
  const choose = (run) => () => {
    close();
    run();
  };
  for (const item of items) list.append(item ? row(item, choose(item.run)) : h("hr", {}));
  const rows = [...list.querySelectorAll("[role=menuitem]")];
  list.addEventListener("keydown", (event) => moveFocus(event, rows));
  anchor.setAttribute("aria-expanded", "true");
  close = showPopup(menu, anchor, { onClose: () => anchor.setAttribute("aria-expanded", "false") });
  rows[0]?.focus({ preventScroll: true });
}

function row({ label, icon: name, isDangerous }, run) {
  const attributes = { type: "button", class: isDangerous ? "danger" : null, role: "menuitem", tabIndex: -1, on: { click: run } };
  return h("button", attributes, name && icon(name), h("span", {}, label));
}

function moveFocus(event, rows) {
  const at = rows.indexOf(document.activeElement);
  const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
  if (next !== undefined) rows[(next + rows.length) % rows.length]?.focus();
  else if (event.key === "Tab") rows[at]?.closest("[popover]").hidePopover();
  else return;
  event.preventDefault();
  event.stopPropagation();
}
