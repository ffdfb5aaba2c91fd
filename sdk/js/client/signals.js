/** A user that goes on typing says so once in this span, in milliseconds. */
const typingEvery = 3_000;
/** How long read marks are gathered, in milliseconds. */
const readDelay = 300;
/** A sign of life is sent at most once in this span, in milliseconds. */
const activityEvery = 60_000;

/** Sends what this user does, no more often than needed: typing, read marks, signs of life. A failure is passed over. */
export class Signals {
  #connection;
  #typing = null;
  #reads = new Map();
  #readTimer = 0;
  #lastActivity = Date.now();

  constructor(connection) {
    this.#connection = connection;
  }

  typing(room, isTyping) {
    if (isTyping) {
      const isRecent = this.#typing?.room === room && Date.now() - this.#typing.at < typingEvery;
      if (isRecent || !room.isJoined) return;
      this.#typing = { room, at: Date.now() };
    } else {
      if (this.#typing?.room !== room) return;
      this.#typing = null;
    }
    this.#emit("typing", { roomId: room.id, isTyping });
  }

  /** A message was sent; the server ends typing by itself then. */
  sent(room) {
    if (this.#typing?.room === room) this.#typing = null;
  }

  read(room, seq) {
    this.#reads.set(room.id, seq);
    clearTimeout(this.#readTimer);
    this.#readTimer = setTimeout(() => this.flushReads(), readDelay);
  }

  /** After a reconnect: read marks that the server did not confirm are sent again. */
  resume() {
    this.#typing = null;
    this.flushReads();
  }

  /** Sends the gathered read marks now. */
  flushReads() {
    clearTimeout(this.#readTimer);
    for (const [roomId, seq] of this.#reads) {
      const confirm = () => this.#reads.get(roomId) === seq && this.#reads.delete(roomId);
      this.#emit("mark_read", { roomId, seq }, confirm, (error) => error.isUnknownOutcome || confirm());
    }
  }

  activity() {
    if (Date.now() - this.#lastActivity < activityEvery) return;
    this.#lastActivity = Date.now();
    this.#emit("user_activity", {});
  }

  stop() {
    clearTimeout(this.#readTimer);
  }

  #emit(event, data, then = () => {}, otherwise = () => {}) {
    if (this.#connection.isOnline) this.#connection.emit(event, data).then(then, otherwise);
  }
}
