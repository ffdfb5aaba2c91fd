import { stone, withReaction } from "../sdk/index.js";

/** How long a deletion can be undone, in milliseconds. */
export const undoSpan = 5_000;

/**
 * What this user does to messages: edits, deletions that can be undone for a while, reactions, pins. What is on its way shows
 * at once and is taken back when the server refuses it.
 */
export class MessageActions {
  #connection;
  #features;
  #hooks;
  #edits = new Map();
  #deletions = new Map();

  /** @param hooks changed(room), refused(what, error), removeNow(room, messageId): deletes without the connection */
  constructor(connection, features, hooks) {
    this.#connection = connection;
    this.#features = features;
    this.#hooks = hooks;
  }

  /** The edit of that message on its way, `{message, mentions, error?}`, or undefined. */
  editOf(messageId) {
    return this.#edits.get(messageId);
  }

  isGoing(messageId) {
    return this.#deletions.has(messageId);
  }

  async edit(room, messageId, { message, mentions }) {
    const edit = { message, mentions };
    this.#edits.set(messageId, edit);
    this.#hooks.changed(room);
    try {
      await this.#ask("editing", "edit_message", { roomId: room.id, messageId, message, mentions });
      this.#finishEdit(room, messageId, edit);
    } catch (error) {
      if (this.#edits.get(messageId) === edit) edit.error = { code: error.code, message: error.message };
    }
    this.#hooks.changed(room);
  }

  discardEdit(room, messageId) {
    this.#edits.delete(messageId);
    this.#hooks.changed(room);
  }

  /** Deletes after a while in which `undo` takes it back. */
  remove(room, messageId) {
    if (this.#deletions.has(messageId)) return;
    const timer = setTimeout(() => this.#finishDeletion(messageId), undoSpan);
    this.#deletions.set(messageId, { room, timer });
    this.#hooks.changed(room);
  }

  undo(messageId) {
    const deletion = this.#deletions.get(messageId);
    if (!deletion?.timer) return;
    clearTimeout(deletion.timer);
    this.#deletions.delete(messageId);
    this.#hooks.changed(deletion.room);
  }

  /** The page goes away: what was deleted is deleted now, by calls that outlive it. */
  flush() {
    for (const [messageId, { room, timer }] of this.#deletions) {
      if (!timer) continue;
      clearTimeout(timer);
      this.#deletions.delete(messageId);
      this.#hooks.removeNow(room, messageId).catch(() => {});
    }
  }

  /** Adds the user's reaction, or takes it back. */
  async react(room, message, emoji, me) {
    const isThere = message.reactions?.find((reaction) => reaction.emoji === emoji)?.userIds.includes(me) ?? false;
    const reaction = { emoji, userId: me, removed: isThere };
    this.#showReaction(room, message.messageId, reaction);
    try {
      const remove = isThere || undefined;
      await this.#ask("reactions", "react", { roomId: room.id, messageId: message.messageId, emoji, remove });
    } catch (error) {
      this.#showReaction(room, message.messageId, { ...reaction, removed: !isThere });
      this.#hooks.refused("Your reaction was not taken", error);
    }
  }

  async pin(room, message) {
    const remove = message.pinned === true || undefined;
    try {
      await this.#ask("pins", "pin_message", { roomId: room.id, messageId: message.messageId, remove });
    } catch (error) {
      this.#hooks.refused(remove ? "It is still pinned" : "It was not pinned", error);
    }
  }

  #ask(feature, event, data) {
    return this.#features.attempt(feature, () => this.#connection.emit(event, data));
  }

  /** The acknowledgement may be ahead of the change itself, so the new text takes its place here. */
  #finishEdit(room, messageId, edit) {
    if (this.#edits.get(messageId) !== edit) return;
    this.#edits.delete(messageId);
    const { message, mentions } = edit;
    room.replace(messageId, (known) => ({ ...known, message, mentions, editedAt: known.editedAt ?? Date.now() }));
  }

  async #finishDeletion(messageId) {
    const deletion = this.#deletions.get(messageId);
    deletion.timer = 0;
    try {
      await this.#ask("deleting", "delete_message", { roomId: deletion.room.id, messageId });
      deletion.room.replace(messageId, stone);
    } catch (error) {
      this.#hooks.refused("The message was not deleted", error);
    }
    this.#deletions.delete(messageId);
    this.#hooks.changed(deletion.room);
  }

  #showReaction(room, messageId, reaction) {
    room.replace(messageId, (known) => ({ ...known, reactions: withReaction(known.reactions ?? [], reaction) }));
    this.#hooks.changed(room);
  }
}
