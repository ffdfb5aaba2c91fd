import { afterPress } from "./press.js";

const svg = "http://www.w3.org/2000/svg";

/**
 * Builds an element. Attributes by name; `class`, `data` (an object), `on` (handlers by event) and properties that
 * must be set as such (`value`, `checked`, `disabled`, `hidden`, `tabIndex`) have their own meaning. Text children
 * become text nodes, so nothing a user wrote is ever parsed as markup.
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) assign(element, name, value);
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const properties = new Set(["value", "checked", "disabled", "hidden", "tabIndex"]);

function assign(element, name, value) {
  if (value === undefined || value === null || value === false) return;
  if (name === "on") for (const [event, handler] of Object.entries(value)) element.addEventListener(event, handler);
  else if (name === "data") Object.assign(element.dataset, value);
  else if (properties.has(name)) element[name] = value;
  else element.setAttribute(name, value === true ? "" : value);
}

/** A decorative icon from the sprite in index.html. */
export function icon(name) {
  const element = document.createElementNS(svg, "svg");
  element.setAttribute("class", "icon");
  element.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(svg, "use");
  use.setAttribute("href", `#icon-${name}`);
  element.append(use);
  return element;
}

/**
 * Makes the container's children those of `rows`, in order, keeping the elements whose key and signature stayed.
 * @param {{key: string, signature: string, make: () => HTMLElement}[]} rows
 */
export function reconcile(container, rows) {
  const before = container.rowsByKey ?? new Map();
  const after = new Map();
  for (const { key, signature, make } of rows) {
    const known = before.get(key);
    after.set(key, known?.signature === signature ? known : { signature, element: make() });
    after.get(key).element.dataset.key = key;
  }
  // What goes, goes first: the rows that stay are then neighbours already and need not be moved.
  const kept = new Set([...after.values()].map((row) => row.element));
  for (const child of [...container.children]) if (!kept.has(child)) child.remove();
  let place = container.firstElementChild;
  for (const { element } of after.values()) {
    if (element === place) place = place.nextElementSibling;
    else container.insertBefore(element, place);
  }
  container.rowsByKey = after;
}

/** Forgets the rows of a container, whose handlers belong to a session that has ended. */
export function clearRows(container) {
  container.replaceChildren();
  delete container.rowsByKey;
}

/**
 * Remembers what has the focus. The function it gives puts the focus back there, also when the row it was in has been made anew:
 * a row is known by its key, a part of it by `data-focus`.
 */
export function rememberFocus() {
  const element = document.activeElement;
  const row = element?.closest("[data-key]");
  const [list, key] = [row?.parentElement, row?.dataset.key];
  const part = element === row ? null : element?.dataset.focus;
  return () => {
    const again = element?.isConnected ? element : list?.rowsByKey?.get(key)?.element;
    const inRow = again !== element && part && again?.querySelector(`[data-focus="${CSS.escape(part)}"]`);
    (inRow || again)?.focus({ preventScroll: true });
  };
}

export const byId = (id) => document.getElementById(id);

/** Runs `work` at most once per frame, however often it is asked for, and not between a press and its click; in hidden pages too. */
export function onceAFrame(work) {
  let isDue = false;
  return () => {
    if (isDue) return;
    isDue = true;
    const run = () => {
      isDue = false;
      work();
    };
    const draw = () => afterPress(run);
    if (document.visibilityState === "visible") requestAnimationFrame(draw);
    else setTimeout(draw, 100);
  };
}
