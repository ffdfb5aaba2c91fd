import { changed, Room } from "../sdk/index.js";

/** Most quoted messages kept that are not among the shown ones. */
const mostQuotes = 200;

/** One room as the page shows it. */
export class ShownRoom extends Room {
  /** A stretch of the past that is shown instead of the live end, or null. */
  excerpt = null;
  preview = null;
  unread = 0;
  /** Unread messages that mention this user. */
  mentions = 0;
  /** The mark above which the "new" divider stands, or null. */
  dividerSeq = null;
  isLoading = false;
  /** What its owner has set: `{name, private, readOnly, slowModeSeconds, owner}`, and the user's `role`. */
  settings = {};
  #quotes = new Map();

  get isPrivate() {
    return this.settings.private === true;
  }

  /** The messages on the screen. */
  get shown() {
    return this.excerpt ?? this.timeline;
  }

  title(me, directory) {
    return this.isDirect ? directory.nameOf(this.partner(me)) : this.settings.name || this.id;
  }

  /** What `GET /api/rooms` says about it. The author of the last message has read the others. */
  applySummary({ name, private: isPrivate, readOnly, slowModeSeconds, owner, role, lastMessage, unread, mentions, lastReadSeq }, me) {
    this.settings = { name: name ?? null, private: isPrivate === true, readOnly: readOnly === true, slowModeSeconds, owner, role };
    if (this.isJoined) return;
    this.lastReadSeq = Math.max(this.lastReadSeq, lastReadSeq ?? 0);
    const isOwn = Boolean(lastMessage) && lastMessage.senderId === me;
    if (!this.timeline.isPrimed) this.unread = isOwn ? 0 : (unread ?? 0);
    if (!this.timeline.isPrimed) this.mentions = isOwn ? 0 : (mentions ?? 0);
    if (!lastMessage) return;
    const text = lastMessage.content ?? lastMessage.message ?? "";
    const userId = lastMessage.senderId ?? lastMessage.userId;
    this.showPreview({ ...lastMessage, message: text, userId });
  }

  showPreview({ seq, message, userId, timestamp, deleted }) {
    const at = typeof timestamp === "number" ? timestamp : Date.parse(timestamp);
    if (!this.preview || at >= this.preview.timestamp) this.preview = { seq, message, userId, deleted, timestamp: at };
  }

  /** A message of another user came. */
  countUnread(message, me) {
    this.unread += 1;
    if (message.mentions?.includes(me)) this.mentions += 1;
  }

  /** All of it is read, here. Gives the number up to which. */
  readAll() {
    this.unread = 0;
    this.mentions = 0;
    const seq = this.timeline.newestSeq;
    const hasMoved = seq > this.lastReadSeq;
    this.lastReadSeq = Math.max(this.lastReadSeq, seq);
    return hasMoved ? seq : null;
  }

  /** The user has read it in another tab or on another device. */
  readElsewhere(seq, me) {
    super.readElsewhere(seq);
    if (!this.timeline.has(this.lastReadSeq)) return;
    const left = this.timeline.messages.filter(
      (message) => message.seq > this.lastReadSeq && message.userId !== me && !message.deleted,
    );
    this.unread = left.length;
    this.mentions = left.filter((message) => message.mentions?.includes(me)).length;
  }

  /** What a change of the log means beside the timeline. `before` is the message as it was, where it is known. */
  applyChange(change, before, me) {
    this.excerpt?.apply(change);
    const quoted = this.#quotes.get(change.messageId);
    if (quoted) this.#quotes.set(change.messageId, changed(quoted, change));
    if (!before) return;
    if (change.kind === "deleted" && !before.deleted && before.seq > this.lastReadSeq && before.userId !== me) {
      this.unread = Math.max(0, this.unread - 1);
      if (before.mentions?.includes(me)) this.mentions = Math.max(0, this.mentions - 1);
    }
    const now = changed(before, change);
    if (this.preview?.seq === now.seq) Object.assign(this.preview, { message: now.message, deleted: now.deleted });
  }

  /** Changes a message wherever it is held, ahead of the server's word. */
  replace(messageId, make) {
    this.timeline.replace(messageId, make);
    this.excerpt?.replace(messageId, make);
  }

  find(messageId) {
    return this.timeline.find(messageId) ?? this.excerpt?.find(messageId) ?? this.#quotes.get(messageId);
  }

  /** Keeps a message that stands elsewhere and is quoted here; null says that there is none. */
  keepQuote(messageId, message) {
    if (this.#quotes.size >= mostQuotes) this.#quotes.delete(this.#quotes.keys().next().value);
    this.#quotes.set(messageId, message);
  }

  /** Whose read mark stands at which message: the newest one at or below the mark. */
  readersBySeq(me) {
    const readers = new Map();
    const { messages } = this.shown;
    for (const [userId, mark] of this.readMarks) {
      if (userId === me || messages.length === 0 || mark < messages[0].seq) continue;
      if (this.excerpt && mark > messages.at(-1).seq) continue;
      const { seq } = messages.findLast((message) => message.seq <= mark);
      readers.set(seq, [...(readers.get(seq) ?? []), userId]);
    }
    return readers;
  }
}
