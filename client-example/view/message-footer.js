import { avatar } from "./avatar.js";
import { h, icon } from "./dom.js";
import { clockTime, listNames } from "./text.js";

const stateTexts = {
  waiting: "Not sent yet. It goes out as soon as it can.",
  sending: "Sending…",
};

/** What stands below a message: whether it went out, and the people who have read up to here. */
export function footer(item, { actions }) {
  const { isOwn, isEnd, state, readers, edit } = item;
  if (edit) return editMark(item, actions);
  if (isOwn && state === "failed") return failure(item, actions);
  if (isOwn && state === "waiting") return waiting(item, actions);
  const isMarked = isOwn && (isEnd || state === "sending");
  if (!isMarked && readers.length === 0) return null;
  return h("div", { class: "footer" }, isMarked && ownMark(item), readMark(readers));
}

function ownMark({ state, timestamp }) {
  if (state === "sending") return h("span", { class: "mark" }, icon("clock"), stateTexts.sending);
  const time = h("time", { datetime: new Date(timestamp).toISOString() }, clockTime(timestamp));
  return h("span", { class: "mark", title: "Sent" }, time, icon("check"), h("span", { class: "visually-hidden" }, "Sent"));
}

function readMark(readers) {
  if (readers.length === 0) return null;
  const label = `Read by ${listNames(readers.map((reader) => reader.name), 4)}`;
  const shown = readers.slice(0, 4).map(({ userId, name }) => avatar(userId, name, { size: "tiny" }));
  const more = readers.length > 4 && h("span", { class: "more" }, `+${readers.length - 4}`);
  return h("span", { class: "readers", role: "img", "aria-label": label, title: label }, shown, more);
}

function editMark({ messageId, edit }, actions) {
  if (!edit.error) return h("div", { class: "footer" }, h("span", { class: "mark" }, icon("clock"), "Saving…"));
  return problem(`Not changed: ${edit.error.message}`, edit.error.code, [
    ["Try again", () => actions.retryEdit(messageId)],
    ["Discard", () => actions.discardEdit(messageId)],
  ]);
}

function waiting({ entry, error }, actions) {
  const text = error ? `Not sent yet, trying again: ${error.message}` : stateTexts.waiting;
  return h(
    "div",
    { class: "footer" },
    h("span", { class: "mark", title: error?.code }, icon("clock"), text),
    linkButton("Retry now", () => actions.retry(entry)),
    error && linkButton("Discard", () => actions.discard(entry)),
  );
}

function failure({ entry, error }, actions) {
  return problem(`Not sent: ${error?.message ?? "the server refused it"}`, error?.code, [
    ["Retry", () => actions.retry(entry)],
    ["Discard", () => actions.discard(entry)],
  ]);
}

function problem(text, code, ways) {
  const buttons = ways.map(([label, click]) => linkButton(label, click));
  return h("div", { class: "footer failed", role: "alert" }, h("span", { class: "mark", title: code }, icon("alert"), text), buttons);
}

const linkButton = (label, click) => h("button", { type: "button", class: "link", on: { click } }, label);
