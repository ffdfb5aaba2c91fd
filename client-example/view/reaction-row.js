import { h, icon } from "./dom.js";
import { listNames } from "./text.js";

/** The reactions below a message, each a button that adds or takes back one's own. */
export function reactionRow({ messageId, content }, { people, actions }) {
  const { reactions } = content;
  if (!messageId || !reactions || reactions.length === 0) return null;
  const more = {
    type: "button",
    class: "reaction add",
    "aria-label": "Add a reaction",
    title: "Add a reaction",
    data: { focus: "add" },
    on: { click: ({ currentTarget }) => actions.pickReaction(messageId, currentTarget) },
  };
  return h(
    "div",
    { class: "reactions" },
    reactions.map((reaction) => chip(reaction, messageId, people, actions)),
    actions.pickReaction && h("button", more, icon("smile")),
  );
}

function chip({ emoji, count, userIds }, messageId, { me, nameOf }, actions) {
  const isMine = userIds.includes(me);
  const names = userIds.map((userId) => (userId === me ? "You" : nameOf(userId)));
  const hidden = Math.max(0, count - userIds.length);
  const who = hidden > 0 ? `${listNames(names, names.length)} and ${hidden} more` : listNames(names, 20);
  const attributes = {
    type: "button",
    class: "reaction",
    "aria-pressed": String(isMine),
    "aria-label": `${emoji} ${count}, ${who}`,
    title: who,
    data: { focus: `reaction ${emoji}` },
    on: { click: () => actions.react(messageId, emoji) },
  };
  return h("button", attributes, h("span", { class: "emoji" }, emoji), h("span", { class: "count" }, String(count)));
}
