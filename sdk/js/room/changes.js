/** Changes of messages. Messages are values: a change gives a new one and leaves the old one alone. */

/** Most ids of users kept with a reaction; the count goes on. */
const mostReactors = 50;

/** The kind of change that an event of the server stands for; undefined for an event that is no change. */
export const changeKinds = {
  message_edited: "edited",
  message_deleted: "deleted",
  message_reaction: "reaction",
  message_pinned: "pinned",
};

const makers = {
  edited: (message, { message: text, metadata, mentions, editedAt }) => ({
    ...message,
    message: text,
    mentions,
    editedAt: editedAt ?? true,
    ...(metadata !== undefined && { metadata }),
  }),
  deleted: (message) => stone(message),
  reaction: (message, change) => ({ ...message, reactions: withReaction(message.reactions ?? [], change) }),
  pinned: (message, { pinned }) => ({ ...message, pinned }),
};

/** The message after the change; the same object when the message has the change already. */
export function changed(message, change) {
  if (change.seq <= (message.changeSeq ?? 0)) return message;
  return { ...makers[change.kind](message, change), changeSeq: change.seq };
}

/** What a deleted message keeps. */
const kept = ["messageId", "seq", "roomId", "userId", "username", "messageType", "timestamp", "replyTo", "replyCount", "lastReplySeq"];

/** A deleted message: id, number, author and time remain. */
export function stone(message) {
  const remains = kept.filter((name) => message[name] !== undefined).map((name) => [name, message[name]]);
  return { ...Object.fromEntries(remains), message: "", deleted: true };
}

/** The list of reactions with one added or removed. `count` is the server's; before the server has answered, the list is counted. */
export function withReaction(reactions, { emoji, userId, removed, count }) {
  const before = reactions.find((reaction) => reaction.emoji === emoji) ?? { emoji, count: 0, userIds: [] };
  const others = before.userIds.filter((id) => id !== userId);
  const isKnown = others.length < before.userIds.length;
  const guess = before.count + (removed ? -1 : Number(!isKnown));
  const after = { emoji, count: count ?? guess, userIds: removed ? others : [...others, userId].slice(-mostReactors) };
  if (after.count <= 0) return reactions.filter((reaction) => reaction.emoji !== emoji);
  const at = reactions.findIndex((reaction) => reaction.emoji === emoji);
  return at < 0 ? [...reactions, after] : reactions.map((reaction, index) => (index === at ? after : reaction));
}

/** The message after a reply to it. A reply that is counted already changes nothing. */
export function withReply(message, { seq }) {
  if (seq <= (message.lastReplySeq ?? 0)) return message;
  return { ...message, replyCount: (message.replyCount ?? 0) + 1, lastReplySeq: seq };
}
