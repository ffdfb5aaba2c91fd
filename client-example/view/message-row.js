import { readable } from "../model/mentions.js";
import { avatar } from "./avatar.js";
import { h, icon } from "./dom.js";
import { fileCard } from "./file-card.js";
import { footer } from "./message-footer.js";
import { reactionRow } from "./reaction-row.js";
import { richText } from "./rich-text.js";
import { clockTime, dayName, fullTime, isEmojiOnly, plain, plural } from "./text.js";

export function dayRow(timestamp) {
  return h("li", { class: "day" }, h("span", {}, dayName(timestamp)));
}

export function dividerRow() {
  return h("li", { class: "unread-divider" }, h("span", {}, "New"));
}

/**
 * One message. `item` is what message-items makes; `state` is `stored` for what has its place in the room, else the outbox
 * entry's. `context` is {people, files, actions}: how names are written, where files come from, what its buttons do.
 */
export function messageRow(item, context) {
  const { isOwn, isStart, isEnd, state, seq, messageId, content, text, isGoing } = item;
  const isStone = content.deleted || isGoing;
  const isJumbo = !isStone && isEmojiOnly(text) && !content.metadata?.file;
  const classes = ["message", isOwn && "own", isStart && "starts", isEnd && "ends", isJumbo && "jumbo", isStone && "is-stone"];
  const isMentioned = !isOwn && content.mentions?.includes(context.people.me);
  return h(
    "li",
    {
      class: [...classes, isMentioned && "is-mentioned"].filter(Boolean).join(" "),
      data: { state, ...(seq && { seq }), ...(messageId && { id: messageId }) },
      tabIndex: -1,
    },
    !isOwn && (isStart ? avatar(item.userId, item.name) : h("span", { class: "avatar-space" })),
    h(
      "div",
      { class: "body" },
      !isOwn && isStart && author(item),
      isStone ? stone(item, context) : contents(item, context),
      footer(item, context),
    ),
  );
}

function author({ name, timestamp }) {
  const time = h("time", { datetime: new Date(timestamp).toISOString() }, clockTime(timestamp));
  return h("div", { class: "author" }, h("span", { class: "name" }, name), time);
}

function stone({ messageId, isGoing, timestamp }, { actions }) {
  const undo = { type: "button", class: "link", data: { focus: "undo" }, on: { click: () => actions.undo(messageId) } };
  return h(
    "div",
    { class: "stone", title: fullTime(timestamp), role: isGoing ? "status" : null },
    icon("trash"),
    h("span", {}, isGoing ? "Message deleted" : "This message was deleted"),
    isGoing && h("button", undo, "Undo"),
  );
}

function contents(item, context) {
  const { content, text } = item;
  const { file } = content.metadata ?? {};
  const isCaptioned = text !== "" && text !== file?.name;
  return [
    item.quote && quoteBlock(item.quote, context),
    content.pinned && h("div", { class: "pinned-mark" }, icon("pin"), "Pinned"),
    file?.fileId && fileCard(file, context),
    (isCaptioned || !file) && bubble(item, context),
    reactionRow(item, context),
    content.replyCount > 0 && threadLink(item, context),
  ];
}

function bubble({ text, timestamp, content, edit }, { people }) {
  const blocks = richText(text, people);
  if (content.editedAt || edit) {
    const title = typeof content.editedAt === "number" ? `Edited ${fullTime(content.editedAt)}` : null;
    const mark = h("span", { class: "edited", title }, "edited");
    if (blocks.at(-1)?.tagName === "P") blocks.at(-1).append(mark);
    else blocks.push(mark);
  }
  return h("div", { class: "bubble", dir: "auto", title: fullTime(timestamp) }, blocks);
}

/** The message that is answered, in a line; it leads there. */
function quoteBlock({ messageId, message }, { people, actions }) {
  const text = quotedText(message, people);
  const name = message ? (message.username ?? people.nameOf(message.userId)) : "";
  return h(
    "button",
    {
      type: "button",
      class: "quote",
      disabled: !message,
      data: { focus: "quote" },
      "aria-label": `In reply to ${name}: ${text.slice(0, 120)}`,
      on: { click: () => actions.goTo(messageId) },
    },
    name && h("strong", {}, name),
    h("span", {}, text.slice(0, 200)),
  );
}

/** undefined while it is looked up, null where there is none. */
function quotedText(message, people) {
  if (!message) return message === null ? "This message is not here" : "…";
  return message.deleted ? "Deleted message" : plain(readable(message.message, people.nameOf));
}

function threadLink({ messageId, content }, { actions }) {
  const count = plural(content.replyCount, "reply", "replies");
  const open = { click: () => actions.openThread(messageId) };
  return h("button", { type: "button", class: "thread-link", data: { focus: "thread" }, on: open }, icon("thread"), count);
}
