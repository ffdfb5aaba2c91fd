/** What a change makes of a message. Messages are values: a change gives a new one and leaves the old one alone. */

/** Most ids of users kept with a reaction; the count goes on. */
const mostReactors = 50;

/** The kind of change an event of the server tells about; undefined for an event that is no change. */
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

/** The message after the change; the same object where the change is in it already. */
export function changed(message, change) {
  if (change.seq <= (message.changeSeq ?? 0)) return message;
  return { ...makers[change.kind](message, change), changeSeq: change.seq };
}

/** What remains of a deleted message: id, number, author and time. */
export function stone(message) {
  const { messageId, seq, roomId, userId, username, timestamp, clientMessageId, replyTo } = message;
  const { replyCount, lastReplySeq } = message;
  const kept = { messageId, seq, roomId, userId, username, timestamp, clientMessageId, replyTo, replyCount, lastReplySeq };
  return { ...kept, message: "", deleted: true };
}

/**
 * The list of reactions with one added or removed. `count` is the server's; without it, the count follows from the list, as
 * long as the server has not answered.
 */
export function withReaction(reactions, { emoji, userId, removed, count }) {
  const before = reactions.find((reaction) => reaction.emoji === emoji) ?? { emoji, count: 0, userIds: [] };
  const others = before.userIds.filter((id) => id !== userId);
  const isKnown = others.length < before.userIds.length;
  const guess = before.count + (removed ? -1 : Number(!isKnown));
  const after = { emoji, count: count ?? guess, userIds: removed ? others : [...others, userId].slice(-mostReactors) };
  if (after.count <= 0) return reactions.filter((reaction) => reaction.emoji !== emoji);
  const at = reactions.findIndex((reaction) => reaction.emoji === emoji);
  return at < 0 ? [...reactions, after] : reactions.with(at, after);
}

/** The message after one that answers it; an answer that is counted already changes nothing. */
export function withReply(message, { seq }) {
  if (seq <= (message.lastReplySeq ?? 0)) return message;
  return { ...message, replyCount: (message.replyCount ?? 0) + 1, lastReplySeq: seq };
}
