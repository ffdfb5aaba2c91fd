/** Elements from names and children; texts are always text nodes, so that no answer becomes markup. */
const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "onclick") node.addEventListener("click", value);
    else if (value !== false && value != null) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child != null));
  return node;
}

export const element = (name, attributes = {}, ...children) => fill(document.createElement(name), attributes, children);
export const shape = (name, attributes = {}, ...children) => fill(document.createElementNS(SVG, name), attributes, children);
export const find = (id) => document.getElementById(id);

/** A table whose rows become cards on a narrow screen. */
export function table(caption, columns, rows) {
  const head = element("tr", {}, columns.map((column) => element("th", { scope: "col" }, column)));
  const body = rows.map((cells) => element("tr", {}, cells.map((cell, index) => element("td", { "data-name": columns[index] }, cell))));
  return element("table", { class: "stacked" }, element("caption", {}, caption), element("thead", {}, head), element("tbody", {}, body));
}

let isPressed = false;
document.addEventListener("pointerdown", () => { isPressed = true; });
for (const end of ["pointerup", "pointercancel"]) document.addEventListener(end, () => { isPressed = false; });

/**
 * Puts new content in place of the old. A button that has the focus keeps it, by its name. Nothing is replaced while a button
 * is pressed, because a click needs both of its ends on one element.
 */
export function replace(place, ...content) {
  if (isPressed) return;
  const name = place.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
  place.replaceChildren(...content);
  if (name) [...place.querySelectorAll("button")].find((button) => button.getAttribute("aria-label") === name)?.focus();
}

export function buttons(...pairs) {
  return element("div", { class: "acts" }, pairs.map(([label, onclick, name]) =>
    element("button", { type: "button", onclick, "aria-label": name }, label)));
}
