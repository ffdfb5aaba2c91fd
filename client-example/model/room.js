import { directPartner } from "./identity.js";
import { Timeline } from "./timeline.js";

/** The server ends typing after 6 s; this covers a lost "stopped". */
const typingLasts = 8_000;

/** Most read marks kept of a room; the ones moved longest ago go first. */
const mostReads = 500;
/** Most people shown typing at once. */
const mostTyping = 50;

/** One room as this user sees it. */
export class Room {
  timeline = new Timeline();
  people = new Map();
  reads = new Map();
  counts = null;
  preview = null;
  unread = 0;
  lastReadSeq = 0;
  /** The mark above which the "new" divider stands, or null. */
  dividerSeq = null;
  isJoined = false;
  isLoadingOlder = false;
  isPrivate = false;
  error = null;
  #typing = new Map();
  #name = null;

  constructor(id) {
    this.id = id;
  }

  get isDirect() {
    return this.id.startsWith("direct:");
  }

  partner(me) {
    return this.isDirect ? directPartner(this.id, me) : null;
  }

  title(me, directory) {
    return this.isDirect ? directory.nameOf(this.partner(me)) : this.#name || this.id;
  }

  /** What `GET /api/rooms` says about it. Whoever wrote the last message has read the others. */
  applySummary({ name, private: isPrivate, lastMessage, unread, lastReadSeq }, me) {
    this.#name = name ?? null;
    this.isPrivate = isPrivate === true;
    this.lastReadSeq = Math.max(this.lastReadSeq, lastReadSeq ?? 0);
    const isOwn = Boolean(lastMessage) && lastMessage.senderId === me;
    if (!this.timeline.isPrimed) this.unread = isOwn ? 0 : (unread ?? 0);
    if (!lastMessage) return;
    const text = lastMessage.content ?? lastMessage.message ?? "";
    const userId = lastMessage.senderId ?? lastMessage.userId;
    this.showPreview({ ...lastMessage, message: text, userId });
  }

  showPreview({ message, userId, timestamp }) {
    const at = typeof timestamp === "number" ? timestamp : Date.parse(timestamp);
    if (!this.preview || at >= this.preview.timestamp) this.preview = { message, userId, timestamp: at };
  }

  /** The user has read it in another tab or on another device. */
  readElsewhere(seq) {
    this.lastReadSeq = Math.max(this.lastReadSeq, seq);
    if (this.lastReadSeq >= this.timeline.lastSeq) this.unread = 0;
  }

  noteRead(userId, seq) {
    const mark = Math.max(this.reads.get(userId) ?? 0, seq);
    this.reads.delete(userId);
    if (this.reads.size >= mostReads) this.reads.delete(this.reads.keys().next().value);
    this.reads.set(userId, mark);
  }

  setPeople(users) {
    this.people = new Map(users.map((user) => [user.userId, user]));
  }

  setTyping(userId, isTyping, onEnd) {
    clearTimeout(this.#typing.get(userId));
    this.#typing.delete(userId);
    if (!isTyping || this.#typing.size >= mostTyping) return;
    const end = () => this.#typing.delete(userId) && onEnd();
    this.#typing.set(userId, setTimeout(end, typingLasts));
  }

  get typingUserIds() {
    return [...this.#typing.keys()];
  }

  /** After a disconnect nothing is known of who is here and who types. */
  forgetLiveState() {
    this.isJoined = false;
    for (const timer of this.#typing.values()) clearTimeout(timer);
    this.#typing.clear();
  }

  /** Whose read mark stands at which message: the newest one at or below the mark. */
  readersBySeq(me) {
    const readers = new Map();
    for (const [userId, seq] of this.reads) {
      if (userId === me || seq < this.timeline.firstSeq) continue;
      const at = Math.min(seq, this.timeline.lastSeq);
      readers.set(at, [...(readers.get(at) ?? []), userId]);
    }
    return readers;
  }
}
