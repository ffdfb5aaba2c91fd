import { readable } from "../model/mentions.js";
import { avatar } from "./avatar.js";
import { h } from "./dom.js";
import { fullTime, plain, shortTime } from "./text.js";

/**
 * A message in a list that leads to its place. `highlights` are pairs of where in the text something stands out.
 * @param {{nameOf: (userId: string) => string}} people
 */
export function resultRow(message, { people, place = "", onOpen }) {
  const { userId, username, timestamp, messageId } = message;
  const name = username ?? people.nameOf(userId);
  const attributes = { type: "button", class: "result", data: { id: messageId }, on: { click: onOpen } };
  return h(
    "li",
    {},
    h(
      "button",
      attributes,
      avatar(userId, name, { size: "small" }),
      h(
        "span",
        { class: "result-body" },
        h(
          "span",
          { class: "result-head" },
          h("strong", {}, name),
          place && h("span", { class: "quiet" }, place),
          h("time", { title: fullTime(timestamp), datetime: new Date(timestamp).toISOString() }, shortTime(timestamp)),
        ),
        h("span", { class: "result-text" }, excerptOf(message, people)),
      ),
    ),
  );
}

/** The text around its first highlight. */
function excerptOf({ message, highlights = [] }, people) {
  const spans = highlights.filter(([start, end]) => Number.isInteger(start) && start >= 0 && end > start && end <= message.length);
  if (spans.length === 0) return plain(readable(message, people.nameOf)).slice(0, 240);
  const from = Math.max(0, spans[0][0] - 60);
  const parts = [from > 0 ? "…" : ""];
  let at = from;
  for (const [start, end] of spans) {
    if (start < at) continue;
    parts.push(readable(message.slice(at, start), people.nameOf), h("mark", {}, message.slice(start, end)));
    at = end;
  }
  parts.push(readable(message.slice(at, at + 160), people.nameOf));
  return parts;
}
