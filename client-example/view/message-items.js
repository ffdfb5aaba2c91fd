import { dayOf } from "./text.js";

const groupSpan = 5 * 60_000;

/** A number for each value that ever was a message; messages are replaced, not changed, so it stands for all that is in them. */
const versions = new WeakMap();
let lastVersion = 0;

function versionOf(value) {
  if (!versions.has(value)) versions.set(value, (lastVersion += 1));
  return versions.get(value);
}

/**
 * What stands in the list, from top to bottom: days, the "new" divider, and messages grouped by author. An item's signature is
 * another one whenever its row would look different.
 */
export function itemsOf(room, chat) {
  const stored = room.shown.messages.map((message) => storedItem(message, room, chat));
  const pending = room.excerpt ? [] : chat.pending(room).map((entry) => pendingItem(entry, room, chat));
  const items = [...stored, ...pending];
  placeReaders(items, room, chat);
  const rows = [];
  let previous = null;
  for (const item of items) {
    const isNewDay = !previous || dayOf(previous.timestamp) !== dayOf(item.timestamp);
    const isFirstNew = isFirstUnread(item, previous, room, chat.me);
    if (isNewDay) rows.push(dayItem(item.timestamp));
    if (isFirstNew) rows.push({ kind: "divider", key: "divider", signature: "" });
    item.isStart = isNewDay || isFirstNew || !belongsTo(previous, item);
    if (previous) previous.isEnd = item.isStart;
    rows.push(item);
    previous = item;
  }
  if (previous) previous.isEnd = true;
  for (const item of items) item.signature = signatureOf(item);
  return rows;
}

/** One stored message as an item of its own, for lists that do not group. */
export function loneItem(message, room, chat) {
  const item = { ...storedItem(message, room, chat), isStart: true, isEnd: true };
  return { ...item, signature: signatureOf(item) };
}

function storedItem(message, room, chat) {
  const { userId, seq, timestamp, clientMessageId, messageId } = message;
  const isOwn = userId === chat.me;
  const edit = chat.actions.editOf(messageId);
  return {
    kind: "message",
    key: isOwn && clientMessageId ? clientMessageId : messageId,
    content: message,
    text: edit ? edit.message : String(message.message ?? ""),
    name: message.username ?? chat.directory.nameOf(userId),
    quote: quoteOf(message, room, chat),
    isGoing: chat.actions.isGoing(messageId),
    ...{ userId, messageId, seq, timestamp, isOwn, edit },
    state: "stored",
    readers: [],
  };
}

function pendingItem(entry, room, chat) {
  const { clientMessageId, content, timestamp, state, error } = entry;
  return {
    kind: "message",
    key: clientMessageId,
    text: content.message,
    ...{ content, timestamp, state, error, entry },
    quote: quoteOf(content, room, chat),
    userId: chat.me,
    name: chat.identity.username,
    isOwn: true,
    readers: [],
  };
}

function dayItem(timestamp) {
  const day = dayOf(timestamp);
  return { kind: "day", key: `day ${day}`, signature: "", timestamp };
}

/** The message it answers: `{messageId, message?}`; one that is not here is looked up. */
function quoteOf({ replyTo, deleted }, room, chat) {
  if (!replyTo || deleted) return null;
  const message = room.find(replyTo);
  if (message === undefined) chat.history.lookUp(room, replyTo);
  return { messageId: replyTo, message };
}

function signatureOf({ content, text, isStart, isEnd, state, error, readers, edit, isGoing, quote, name }) {
  const quoted = quote && (quote.message ? versionOf(quote.message) : String(quote.message));
  const readBy = readers.map(({ userId }) => userId).join();
  return [versionOf(content), isStart, isEnd, state, error?.code, readBy, edit && text, edit?.error?.code, isGoing, quoted, name].join("|");
}

/** The author of a message has read it, so no mark stands at a message of one's own. */
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
  return previous && previous.userId === item.userId && !item.quote && item.timestamp - previous.timestamp < groupSpan;
}
