import { h } from "./dom.js";
import { emojiGroups } from "./emoji.js";
import { showPopup } from "./popup.js";

/** Lets the user pick an emoji beside a button: by mouse, arrow keys or a word that names it. */
export function pickEmoji(anchor, onPick) {
  const field = h("input", { type: "search", "aria-label": "Find an emoji", placeholder: "Find an emoji", autocomplete: "off" });
  const list = h("div", { class: "emoji-list", role: "group", "aria-label": "Emoji" });
  const picker = h("div", { class: "emoji-picker", role: "dialog", "aria-label": "Pick an emoji" }, field, list);
  let close = () => {};
  const pick = (emoji) => {
    close();
    onPick(emoji);
  };
  const draw = () => list.replaceChildren(...sections(field.value.trim().toLowerCase(), pick));
  field.oninput = draw;
  picker.onkeydown = (event) => move(event, field, list);
  draw();
  close = showPopup(picker, anchor);
  if (!matchMedia("(pointer: coarse)").matches) field.focus({ preventScroll: true });
}

function sections(query, pick) {
  if (query === "") return emojiGroups.map(({ name, emoji }) => section(name, emoji, pick));
  const all = new Map(emojiGroups.flatMap(({ emoji }) => emoji).map((each) => [each.emoji, each]));
  const found = [...all.values()].filter(({ words }) => words.split(" ").some((word) => word.startsWith(query)));
  return [found.length > 0 ? section("Found", found, pick) : h("p", { class: "quiet" }, "Nothing like that.")];
}

function section(name, emoji, pick) {
  const buttons = emoji.map((each) =>
    h("button", { type: "button", "aria-label": each.words, title: each.words, on: { click: () => pick(each.emoji) } }, each.emoji),
  );
  return h("section", { "aria-label": name }, h("h2", {}, name), h("div", { class: "emoji-grid" }, buttons));
}

function move(event, field, list) {
  const buttons = [...list.querySelectorAll("button")];
  const at = buttons.indexOf(document.activeElement);
  const line = columns(buttons);
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, ArrowDown: at + line, ArrowUp: at - line }[event.key];
  if (event.key === "Enter" && document.activeElement === field) buttons[0]?.click();
  else if (event.key === "ArrowDown" && at < 0) buttons[0]?.focus();
  else if (event.key === "ArrowUp" && at >= 0 && at < line) field.focus();
  else if (at >= 0 && to !== undefined) buttons[to]?.focus();
  else return;
  event.preventDefault();
}

/** How many stand in a line: the first line ends where the next button stands lower. */
function columns(buttons) {
  const lower = buttons.findIndex((button) => button.offsetTop > buttons[0].offsetTop);
  return lower < 0 ? buttons.length : lower;
}
