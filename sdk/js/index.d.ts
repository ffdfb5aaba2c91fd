/** A client of chat-service. docs/protocol.md of the server describes the values; times are milliseconds since 1970. */

export type Status = "online" | "away" | "busy" | "invisible" | "offline";

export interface Reaction {
  emoji: string;
  count: number;
  userIds: string[];
}

/** A stored message, as it is now. */
export interface Message {
  messageId: string;
  /** The message's number in its room. */
  seq: number;
  roomId: string;
  userId: string;
  username: string;
  message: string;
  messageType: string;
  timestamp: number;
  clientMessageId?: string;
  metadata?: Record<string, unknown>;
  replyTo?: string;
  mentions?: string[];
  editedAt?: number;
  deleted?: boolean;
  pinned?: boolean;
  /** The number of the message's last change. */
  changeSeq?: number;
  reactions?: Reaction[];
  replyCount?: number;
  lastReplySeq?: number;
}

/** An edit, a deletion, a reaction or a pin: an entry of the room's log with a number of its own. */
export interface Change {
  kind: "edited" | "deleted" | "reaction" | "pinned";
  roomId: string;
  messageId: string;
  /** The number of the change. */
  seq: number;
  /** The user that made the change. */
  userId: string;
  [field: string]: unknown;
}

export interface MessageContent {
  message: string;
  messageType?: string;
  metadata?: Record<string, unknown>;
  replyTo?: string;
  mentions?: string[];
}

/** A message on its way. */
export interface OutboxEntry {
  clientMessageId: string;
  roomId: string;
  content: MessageContent;
  timestamp: number;
  state: "waiting" | "sending" | "sent" | "failed";
  /** The last refusal. The entry waits for another attempt, or failed. */
  error?: { code: string; message: string };
  /** Once it is acknowledged. */
  seq?: number;
  messageId?: string;
}

export interface User {
  userId: string;
  username: string;
}

export interface Session extends User {
  socketId: string;
  expiresAt?: number;
  /** By connection state recovery: the rooms are joined already. */
  isRecovered: boolean;
}

export type ConnectionState =
  | { name: "idle" | "offline" | "online" }
  | { name: "connecting"; attempt: number }
  | { name: "waiting"; retryAt: number; attempt: number; error?: RequestError }
  /** The server ended the connection, and asks not to come back by itself; `retryNow` does. */
  | { name: "stopped"; why: "stop" | "signIn" | "replaced"; code: number; reason: string }
  /** The server refused the user. */
  | { name: "refused"; error: RequestError };

/** Messages and changes that took their places in a room, in the order of their numbers. */
export interface News {
  room: Room;
  added: Message[];
  changes: { change: Change; before?: Message }[];
  /** They came with a join, and not live. */
  isJoin: boolean;
  /** They are the first messages of this room. */
  isFirst: boolean;
  /** They do not follow on the messages that were here before. */
  replaced: boolean;
}

export interface ClientEvents {
  state: ConnectionState;
  session: Session;
  /** Each message of a joined room once, in order: first its newest history, then what was missed or comes live. */
  message: { room: Room; message: Message; isHistory: boolean };
  /** A change took effect. Without `message` it concerns a message that is not here. */
  change: { room: Room; change: Change; before?: Message; message?: Message };
  /** The same as the two above, all of one frame together. */
  news: News;
  /** The room's messages were dropped: too many were missed, or the server no longer has them. The next ones begin anew. */
  resync: Room;
  /** Something about the room changed: messages, users, typing, read marks, the queue. */
  room: Room;
  person: { room: Room; userId: string; username: string; isHere: boolean };
  typing: { room: Room; userId: string; username: string; isTyping: boolean };
  read: { room: Room; userId: string; seq: number };
  /** The server put the user out of the room; `room.error` says why. */
  closed: Room;
  /** A message was stored. */
  sent: OutboxEntry;
  /** A message was refused for good. It stays among the pending ones until `sender.retry` or `sender.discard`. */
  refused: OutboxEntry;
  /** A message straight to this user. */
  direct: { messageId: string; senderId: string; message: string; metadata?: Record<string, unknown>; timestamp: number | string };
  /** The token expires soon, and there is no `getToken`; `connection.renewToken` presents a new one. */
  expiring: { expiresAt: number };
  /** The server reports an error that belongs to no request. */
  problem: RequestError;
}

export interface ChatOptions {
  /** The server's address, `http:` or `https:`. In a browser it may be left out: the page's own origin. */
  url?: string;
  /** A token. */
  token?: string;
  /** Gives a token: at first, before one expires, and after one was refused. */
  getToken?: () => string | Promise<string>;
  /** A claim, for servers in trusted mode. */
  userId?: string;
  username?: string;
  /** `socketio` adds connection state recovery. `raw` is the default. */
  framing?: "raw" | "socketio";
  /** A WebSocket constructor, where there is no global one (Node before 22). */
  WebSocket?: new (url: string) => unknown;
  fetch?: typeof fetch;
  /** Where messages that wait outlive a reload, e.g. `localStorage`. Without it they are in memory alone. */
  storage?: Pick<Storage, "getItem" | "setItem" | "removeItem">;
  /** Makes rooms of an own subclass. */
  makeRoom?: (roomId: string) => Room;
}

export class Emitter<Events = Record<string, any>> {
  /** @returns a function that ends it */
  on<Name extends keyof Events>(name: Name, handler: (value: Events[Name]) => void): () => void;
  hasHandler(name: keyof Events): boolean;
  fire<Name extends keyof Events>(name: Name, value?: Events[Name]): void;
}

export class ChatClient extends Emitter<ClientEvents> {
  constructor(options: ChatOptions);
  readonly identity: { userId?: string; username?: string; token?: string };
  readonly connection: Connection;
  readonly api: Api;
  readonly signals: Signals;
  /** Null until the first session. */
  readonly presence: Presence | null;
  /** Null until the first session. */
  readonly sender: Sender | null;
  /** This user's id. */
  readonly me: string | undefined;
  readonly isOnline: boolean;
  readonly rooms: Room[];
  /** Connects, and stays connected until `close`. Rejects when the server refuses the user. */
  connect(): Promise<Session>;
  close(): void;
  room(roomId: string): Room;
  known(roomId: string): Room | undefined;
  /** Joins a room, and resumes it from now on after every reconnect. A rejection that is retryable means: later. */
  join(roomId: string): Promise<Room>;
  /** A join that is under way is rejected with the code `left`. */
  leave(roomId: string): void;
  /** @returns null when 200 messages wait already */
  send(roomId: string, content: string | MessageContent): OutboxEntry | null;
  pending(roomId: string): OutboxEntry[];
  edit(roomId: string, messageId: string, fields: { message: string; metadata?: object; mentions?: string[] }): Promise<ChangeAnswer>;
  delete(roomId: string, messageId: string): Promise<ChangeAnswer>;
  react(roomId: string, messageId: string, emoji: string, options?: { remove?: boolean }): Promise<ChangeAnswer>;
  pin(roomId: string, messageId: string, options?: { remove?: boolean }): Promise<ChangeAnswer>;
  sendDirectly(recipientIds: string[], message: string, metadata?: object): Promise<{ status: "sent" | "error"; recipients: object }>;
  typing(roomId: string, isTyping?: boolean): void;
  /** Up to the newest message here, or to a number. */
  markRead(roomId: string, seq?: number): void;
}

export interface ChangeAnswer {
  messageId: string;
  seq?: number;
  timestamp: number;
  count?: number;
  unchanged?: boolean;
}

export class Room {
  constructor(id: string);
  readonly id: string;
  readonly timeline: Timeline;
  readonly messages: Message[];
  people: Map<string, User>;
  readonly typing: { readonly userIds: string[] };
  counts: { members: number; online: number } | null;
  lastReadSeq: number;
  isJoined: boolean;
  /** It is joined in every session, until it is left or the server refuses for good. */
  isWanted: boolean;
  /** While it is set, no messages are dropped from memory; else the newest 600 are kept. */
  isOpen: boolean;
  error: RequestError | null;
  readonly isDirect: boolean;
  readonly readMarks: [string, number][];
  partner(me: string): string | null;
  joined(answer: object): void;
  setPeople(users: User[]): void;
  setPresent(user: User, isHere: boolean): void;
  readElsewhere(seq: number, me: string): void;
  noteRead(userId: string, seq: number): void;
  forgetLiveState(): void;
}

export type LogEntry = { seq: number; message: Message } | { seq: number; change: Change };

/** One room's log without I/O: repeats are dropped, holes are found. */
export class Timeline {
  lastSeq: number;
  isComplete: boolean;
  isPrimed: boolean;
  readonly messages: Message[];
  readonly firstSeq: number;
  readonly newestSeq: number;
  has(seq: number): boolean;
  find(messageId: string): Message | undefined;
  receive(entry: LogEntry): { added: Message[]; changes: { change: Change; before?: Message }[]; hole: boolean };
  applyJoin(answer: object): { added: Message[]; changes: { change: Change; before?: Message }[]; hole: boolean; replaced: boolean };
  prepend(page: Message[], hasMore: boolean): Message[];
  replace(messageId: string, make: (message: Message) => Message): void;
  reset(): void;
  trim(): void;
}

/** Messages in the order of their numbers. */
export class Run {
  messages: Message[];
  readonly firstSeq: number | null;
  readonly newestSeq: number;
  find(messageId: string): Message | undefined;
  append(messages: Message[]): void;
  push(message: Message): void;
  prepend(messages: Message[]): void;
  replace(messageId: string, make: (message: Message) => Message): void;
  keep(count: number): void;
  clear(): void;
}

export interface ConnectionEvents {
  state: ConnectionState;
  session: Session;
  event: { event: string; data: any };
  expiring: { expiresAt: number };
}

export class Connection extends Emitter<ConnectionEvents> {
  constructor(url: string, credentials: object, options?: Pick<ChatOptions, "framing" | "WebSocket">);
  readonly state: ConnectionState;
  readonly isOnline: boolean;
  start(): void;
  stop(): void;
  retryNow(): void;
  useFraming(framing: "raw" | "socketio"): void;
  /** Sends any event of the protocol; resolves with its answer. */
  emit(event: string, data?: object): Promise<any>;
  renewToken(token: string): Promise<void>;
}

export interface Sender {
  readonly roomIds: string[];
  retry(entry: OutboxEntry): void;
  discard(entry: OutboxEntry): void;
}

export interface Signals {
  /** A sign of life, at most once a minute. */
  activity(): void;
}

export class Presence extends Emitter<{ change: void }> {
  constructor(connection: Connection, me: string);
  isSupported: boolean | null;
  own: Status;
  of(userId: string): { status: Status; lastSeen?: string | number } | undefined;
  watch(userIds: string[]): Promise<void>;
  setStatus(status: Status): Promise<void>;
  resume(): void;
  receive(event: string, data: object): boolean;
}

export interface UploadedFile {
  fileId: string;
  url: string;
  name: string;
  size: number;
  contentType: string;
  sha256: string;
  width?: number;
  height?: number;
}

export interface HistoryPage {
  messages: Message[];
  hasMore: boolean;
  firstSeq: number | null;
  lastSeq: number | null;
  hasMoreBefore?: boolean;
  hasMoreAfter?: boolean;
}

export interface SearchQuery {
  q: string;
  roomId?: string;
  from?: string;
  messageType?: string;
  before?: string;
  limit?: number;
}

/** The calls over REST. */
export class Api {
  constructor(base: string, identity: object, options?: { fetch?: typeof fetch });
  rooms(): Promise<any[]>;
  room(roomId: string): Promise<any>;
  createRoom(fields: object): Promise<any>;
  changeRoom(roomId: string, fields: object): Promise<any>;
  leaveRoom(roomId: string): Promise<any>;
  addParticipant(roomId: string, userId: string): Promise<any>;
  removeParticipant(roomId: string, userId: string): Promise<any>;
  listed(roomId: string, kind: "roles" | "bans" | "mutes"): Promise<any[]>;
  setListed(roomId: string, kind: "roles" | "bans" | "mutes", userId: string, fields: object): Promise<any>;
  unsetListed(roomId: string, kind: "roles" | "bans" | "mutes", userId: string): Promise<any>;
  history(roomId: string, query: { before?: number; after?: number; around?: number; limit?: number }): Promise<HistoryPage>;
  message(roomId: string, messageId: string): Promise<Message>;
  removeMessage(roomId: string, messageId: string): Promise<any>;
  replies(roomId: string, messageId: string, query: { before?: number; after?: number; limit?: number }): Promise<HistoryPage>;
  changes(roomId: string, query: { after?: number; limit?: number }): Promise<{ messages: Message[]; hasMore: boolean; lastSeq: number }>;
  flag(roomId: string, messageId: string, reason?: string): Promise<any>;
  search(query: SearchQuery): Promise<{ results: (Message & { highlights: [number, number][] })[]; cursor?: string }>;
  users(query: { q: string; limit?: number }): Promise<any[]>;
  blocks(): Promise<any[]>;
  setBlock(userId: string, isBlocked: boolean): Promise<any>;
  upload(
    roomId: string,
    file: Blob,
    onProgress?: (part: number) => void,
    name?: string,
  ): { done: Promise<UploadedFile>; cancel: () => void };
  file(fileId: string, name: string): Promise<Blob>;
}

export class RequestError extends Error {
  constructor(code: string, message: string, retryable?: boolean);
  readonly code: string;
  readonly retryable: boolean;
  /** Milliseconds that the server asks to wait. */
  retryAfter: number;
  isUnknownPath: boolean;
  /** The server may have carried the request out. */
  readonly isUnknownOutcome: boolean;
  static unreachable(): RequestError;
  static connectionLost(): RequestError;
  static left(): RequestError;
  static timeout(event: string): RequestError;
  static refusal(error?: object): RequestError;
}

export class Backoff {
  static base: number;
  static slowBase: number;
  static ceiling: number;
  attempt: number;
  reset(): void;
  next(options?: { slow?: boolean; random?: () => number }): number;
}

export function adviceFor(closeCode: number): "retry" | "slow" | "stop" | "signIn" | "replaced";
export function changed(message: Message, change: Change): Message;
export function stone(message: Message): Message;
export function withReaction(
  reactions: Reaction[],
  change: { emoji: string; userId: string; removed: boolean; count?: number },
): Reaction[];
export function withReply(message: Message, reply: Message): Message;
export function directRoomId(a: string, b: string): string;
export function directPartner(roomId: string, me: string): string;
export function newId(): string;
