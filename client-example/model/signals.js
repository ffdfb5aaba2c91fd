const typingEvery = 3_000;
const readDelay = 300;

/** What this user does, told to the others no more often than needed: typing, read marks, being active. */
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

  /** The server ends typing itself when a message comes. */
  sent(room) {
    if (this.#typing?.room === room) this.#typing = null;
  }

  read(room, seq) {
    this.#reads.set(room.id, seq);
    clearTimeout(this.#readTimer);
    this.#readTimer = setTimeout(() => this.#flushReads(), readDelay);
  }

  /** After a reconnect: what the server did not confirm is sent again. */
  resume() {
    this.#typing = null;
    this.#flushReads();
  }

  activity() {
    if (Date.now() - this.#lastActivity < 60_000) return;
    this.#lastActivity = Date.now();
    this.#emit("user_activity", {});
  }

  #flushReads() {
    if (!this.#connection.isOnline) return;
    for (const [roomId, seq] of this.#reads) {
      const confirm = () => this.#reads.get(roomId) === seq && this.#reads.delete(roomId);
      this.#emit("mark_read", { roomId, seq }, confirm, (error) => error.isUnknownOutcome || confirm());
    }
  }

  /** Nothing here is worth troubling the user with when it fails. */
  #emit(event, data, then = () => {}, otherwise = () => {}) {
    if (this.#connection.isOnline) this.#connection.emit(event, data).then(then, otherwise);
  }
}
