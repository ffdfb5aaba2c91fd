import { dayOf } from "./text.js";

const groupSpan = 5 * 60_000;

/** What stands in the list, from top to bottom: days, the "new" divider, and messages grouped by author. */
export function itemsOf(room, chat) {
  const stored = room.timeline.messages.map((message) => storedItem(message, chat));
  const pending = chat.pending(room).map((entry) => pendingItem(entry, chat));
  const items = [...stored, ...pending];
  placeReaders(items, room, chat);
  const rows = [];
  let previous = null;
  for (const item of items) {
    const isNewDay = !previous || dayOf(previous.timestamp) !== dayOf(item.timestamp);
    const isFirstNew = isFirstUnread(item, previous, room, chat.me);
    if (isNewDay) rows.push({ kind: "day", key: `day ${dayOf(item.timestamp)}`, timestamp: item.timestamp });
    if (isFirstNew) rows.push({ kind: "divider", key: "divider" });
    item.isStart = isNewDay || isFirstNew || !belongsTo(previous, item);
    if (previous) previous.isEnd = item.isStart;
    rows.push(item);
    previous = item;
  }
  if (previous) previous.isEnd = true;
  return rows;
}

function storedItem(message, chat) {
  const { userId, seq, timestamp, clientMessageId, messageId } = message;
  const isOwn = userId === chat.me;
  return {
    kind: "message",
    key: isOwn && clientMessageId ? clientMessageId : messageId,
    message: String(message.message ?? ""),
    name: message.username ?? chat.directory.nameOf(userId),
    ...{ userId, seq, timestamp, isOwn },
    state: "stored",
    readers: [],
  };
}

function pendingItem(entry, chat) {
  const { clientMessageId, message, timestamp, state, error } = entry;
  return {
    kind: "message",
    key: clientMessageId,
    ...{ message, timestamp, state, error, entry },
    userId: chat.me,
    name: chat.identity.username,
    isOwn: true,
    readers: [],
  };
}

/** Whoever wrote a message has read it, so nobody's mark stands at a message of their own. */
function placeReaders(items, room, chat) {
  const readers = room.readersBySeq(chat.me);
  for (const item of items) {
    const userIds = (readers.get(item.seq) ?? []).filter((userId) => userId !== item.userId);
    item.readers = userIds.map((userId) => ({ userId, name: chat.directory.nameOf(userId) }));
  }
}

function isFirstUnread(item, previous, room, me) {
  if (room.dividerSeq === null || !item.seq || item.userId === me || item.seq <= room.dividerSeq) return false;
  return !previous || previous.seq <= room.dividerSeq;
}

function belongsTo(previous, item) {
  return previous && previous.userId === item.userId && item.timestamp - previous.timestamp < groupSpan;
}
