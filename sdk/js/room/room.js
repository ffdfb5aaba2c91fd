import { directPartner } from "../protocol/direct-rooms.js";
import { Timeline } from "./timeline.js";
import { TypingUsers } from "./typing-users.js";

/** Most read marks kept of a room; the ones that moved longest ago go first. */
const mostReads = 500;

/** One room as this user sees it. */
export class Room {
  /** Messages and changes by number. */
  timeline = new Timeline();
  /** The users that are present and shown, by id: `{userId, username}`. Above 200 they are not all known. */
  people = new Map();
  typing = new TypingUsers();
  /** `{members, online}`, or null before the room was joined. */
  counts = null;
  /** The number up to which this user has read, here or elsewhere. */
  lastReadSeq = 0;
  /** On the present session. */
  isJoined = false;
  /** The application has joined it: it is joined again in every session, until it is left or the server refuses for good. */
  isWanted = false;
  /** While it is set, no messages are dropped from memory: the user may read them. */
  isOpen = false;
  /** Why the room could not be joined or was closed: a `RequestError`, or null. */
  error = null;
  #reads = new Map();

  constructor(id) {
    this.id = id;
  }

  /** The messages that are here, oldest first, as they are now. */
  get messages() {
    return this.timeline.messages;
  }

  get isDirect() {
    return this.id.startsWith("direct:");
  }

  /** The other user of a direct room; null for a group. */
  partner(me) {
    return this.isDirect ? directPartner(this.id, me) : null;
  }

  /** The answer to a join came. */
  joined({ users = [], members, online, readMarks = [] }) {
    this.setPeople(users);
    this.counts = { members, online };
    for (const { userId, seq } of readMarks) this.noteRead(userId, seq);
    this.isJoined = true;
    this.error = null;
  }

  setPeople(users) {
    this.people = new Map(users.map((user) => [user.userId, user]));
  }

  /** A user came into the room or left it. */
  setPresent(user, isHere) {
    const change = Number(isHere) - Number(this.people.has(user.userId));
    if (isHere) this.people.set(user.userId, user);
    else this.people.delete(user.userId);
    if (this.counts) this.counts.online = Math.max(0, this.counts.online + change);
  }

  /** This user has read up to the number, on another device or connection. */
  readElsewhere(seq) {
    this.lastReadSeq = Math.max(this.lastReadSeq, seq);
  }

  /** Another user has read up to the number. */
  noteRead(userId, seq) {
    const mark = Math.max(this.#reads.get(userId) ?? 0, seq);
    this.#reads.delete(userId);
    if (this.#reads.size >= mostReads) this.#reads.delete(this.#reads.keys().next().value);
    this.#reads.set(userId, mark);
  }

  /** The other users' read marks: `[userId, seq]`, the one that moved last at the end. */
  get readMarks() {
    return [...this.#reads];
  }

  /** After a disconnect it is not known which users are here and type. */
  forgetLiveState() {
    this.isJoined = false;
    this.typing.clear();
  }
}
