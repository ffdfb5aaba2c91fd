import { h, icon } from "./dom.js";

/** The parts of the form a message is written in. `id` is that of its text. */
export function composerForm({ id, label = "Message", hasFiles = false } = {}) {
  const parts = {
    context: h("div", { class: "composing", hidden: true }),
    tray: h("ul", { class: "tray", hidden: true, "aria-label": "Files to send" }),
    options: h("ul", {
      class: "completion",
      role: "listbox",
      id: `${id}-options`,
      "aria-label": "People to mention",
      hidden: true,
    }),
    text: h("textarea", {
      id,
      rows: 1,
      dir: "auto",
      "aria-label": label,
      "aria-autocomplete": "list",
      placeholder: label,
      enterkeyhint: "send",
      autocomplete: "off",
    }),
    file: h("input", { type: "file", multiple: true, hidden: true, tabIndex: -1, "aria-hidden": "true" }),
    attach: iconButton("attach", "Add files", "attach"),
    emoji: iconButton("insert-emoji", "Insert an emoji", "smile"),
    send: h("button", { class: "send", type: "submit", "aria-label": "Send", title: "Send (Enter)" }, icon("send")),
    closed: h("p", { class: "composer-closed quiet", hidden: true }),
  };
  parts.attach.hidden = !hasFiles;
  parts.line = h("div", { class: "composer-line" }, parts.attach, parts.file, parts.text, parts.emoji, parts.send);
  parts.box = h("div", { class: "composer-box" }, parts.options, parts.context, parts.tray, parts.line, parts.closed);
  return parts;
}

function iconButton(kind, label, name) {
  return h("button", { type: "button", class: `round small ${kind}`, "aria-label": label, title: label }, icon(name));
}
