import { RequestError } from "../net/request-error.js";
import { changeKinds } from "./changes.js";

/** What each event of the server means to the chat. Events not named here do not concern rooms. What a join brings is in its answer. */
export const wireEvents = {
  room_state(chat, data) {
    const room = chat.rooms.known(data.roomId);
    if (!room) return;
    room.counts = { members: data.members, online: data.online };
    chat.fire("room", room);
  },

  new_message(chat, message) {
    const isNew = !chat.rooms.known(message.roomId);
    if (isNew && chat.rooms.wasLeft(message.roomId)) return;
    const room = chat.rooms.get(message.roomId);
    const outcome = take(chat, room, { seq: message.seq, message });
    for (const other of outcome.added) if (other.userId !== chat.me) chat.fire("message", { room, message: other });
    if (isNew) chat.join(room);
  },

  /** Straight to this user: another user's page says that it made a room for both. */
  message(chat, { metadata }) {
    if (typeof metadata?.roomId === "string" && !chat.rooms.known(metadata.roomId)) chat.pollRooms().catch(() => {});
  },

  user_joined(chat, { roomId, userId, username }) {
    const room = chat.rooms.known(roomId);
    if (!room) return;
    chat.directory.learn([{ userId, username }]);
    if (!room.people.has(userId)) adjustOnline(room, 1);
    room.people.set(userId, { userId, username });
    chat.presence.watch([userId]);
    chat.fire("room", room);
  },

  user_left(chat, { roomId, userId }) {
    const room = chat.rooms.known(roomId);
    if (!room) return;
    if (room.people.delete(userId)) adjustOnline(room, -1);
    room.typing.set(userId, false);
    chat.fire("room", room);
  },

  user_typing(chat, { roomId, userId, username, isTyping }) {
    const room = chat.rooms.known(roomId);
    if (!room || userId === chat.me) return;
    chat.directory.learn([{ userId, username }]);
    room.typing.set(userId, isTyping, () => chat.fire("room", room));
    chat.fire("room", room);
  },

  message_read(chat, { roomId, userId, seq }) {
    const room = chat.rooms.known(roomId);
    if (!room) return;
    if (userId === chat.me) room.readElsewhere(seq, chat.me);
    else room.noteRead(userId, seq);
    chat.fire("room", room);
    chat.fire("rooms");
  },

  /** During a join its answer says so. */
  resync_required(chat, { roomId }) {
    const room = chat.rooms.known(roomId);
    if (!room || chat.joiner.isJoining(room)) return;
    room.timeline.reset();
    chat.join(room).then(() => chat.fire("resynced", room));
  },

  /** Refused requests carry their refusal as the reply; this is about the connection as a whole, or says that a room is closed. */
  error(chat, { code, message, roomId }) {
    const room = chat.rooms.known(roomId);
    if (room) return chat.close(room, new RequestError(code, message));
    chat.fire("notice", `${message ?? "The server reports an error"} (${code ?? "error"})`);
  },

  token_expiring(chat, data) {
    chat.fire("expiring", data);
  },
};

for (const [event, kind] of Object.entries(changeKinds)) {
  wireEvents[event] = (chat, data) => {
    const room = chat.rooms.known(data.roomId);
    if (!room) return;
    if (data.username) chat.directory.learn([data]);
    take(chat, room, { seq: data.seq, change: { ...data, kind } });
  };
}

/** Puts a live entry in its place; where numbers before it are missing, the room is asked for them. */
function take(chat, room, entry) {
  const outcome = room.timeline.receive(entry);
  chat.absorb(room, outcome);
  if (outcome.hole) chat.join(room);
  return outcome;
}

function adjustOnline(room, by) {
  if (room.counts) room.counts.online = Math.max(0, room.counts.online + by);
}
