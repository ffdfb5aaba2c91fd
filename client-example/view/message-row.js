import { avatar } from "./avatar.js";
import { h, icon } from "./dom.js";
import { clockTime, dayName, fullTime, isEmojiOnly, linkify, listNames } from "./text.js";

const stateTexts = {
  waiting: "Not sent yet. It goes out as soon as it can.",
  sending: "Sending…",
};

export function dayRow(timestamp) {
  return h("li", { class: "day" }, h("span", {}, dayName(timestamp)));
}

export function dividerRow() {
  return h("li", { class: "unread-divider" }, h("span", {}, "New"));
}

/**
 * One message. `item` is {message, userId, name, timestamp, seq?, isOwn, isStart, isEnd, state, error?, readers} where
 * state is `stored` for what has its place in the room, else the outbox entry's.
 */
export function messageRow(item, actions) {
  const { isOwn, isStart, isEnd, state, seq, message } = item;
  const classes = ["message", isOwn && "own", isStart && "starts", isEnd && "ends", isEmojiOnly(message) && "jumbo"];
  return h(
    "li",
    { class: classes.filter(Boolean).join(" "), data: { state, ...(seq && { seq }) } },
    !isOwn && (isStart ? avatar(item.userId, item.name) : h("span", { class: "avatar-space" })),
    h(
      "div",
      { class: "body" },
      !isOwn && isStart && author(item),
      h("div", { class: "bubble", dir: "auto", title: fullTime(item.timestamp) }, linkify(message)),
      footer(item, actions),
    ),
  );
}

function author({ name, timestamp }) {
  const time = h("time", { datetime: new Date(timestamp).toISOString() }, clockTime(timestamp));
  return h("div", { class: "author" }, h("span", { class: "name" }, name), time);
}

function footer(item, actions) {
  const { isOwn, isEnd, state, readers } = item;
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

function waiting({ entry, error }, actions) {
  const text = error ? `Not sent yet, trying again: ${error.message}` : stateTexts.waiting;
  return h(
    "div",
    { class: "footer" },
    h("span", { class: "mark", title: error?.code }, icon("clock"), text),
    h("button", { type: "button", class: "link", on: { click: () => actions.retry(entry) } }, "Retry now"),
    error && h("button", { type: "button", class: "link", on: { click: () => actions.discard(entry) } }, "Discard"),
  );
}

function failure({ entry, error }, actions) {
  const text = `Not sent: ${error?.message ?? "the server refused it"}`;
  return h(
    "div",
    { class: "footer failed", role: "alert" },
    h("span", { class: "mark", title: error?.code }, icon("alert"), text),
    h("button", { type: "button", class: "link", on: { click: () => actions.retry(entry) } }, "Retry"),
    h("button", { type: "button", class: "link", on: { click: () => actions.discard(entry) } }, "Discard"),
  );
}
