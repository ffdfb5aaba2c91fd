/** What each event of the server means to the chat. Events not named here are of no concern to rooms. */
export const wireEvents = {
  message_history(chat, data) {
    chat.joiner?.history(data);
  },

  room_users(chat, data) {
    chat.directory.learn(Array.isArray(data) ? data : (data.users ?? []));
    chat.joiner?.people(data);
  },

  room_state(chat, data) {
    const room = chat.rooms.get(data.roomId);
    if (!room) return;
    room.counts = { members: data.members, online: data.online };
    for (const { userId, seq } of data.readMarks ?? []) if (userId !== chat.me) room.noteRead(userId, seq);
    chat.joiner.state(data);
    chat.fire("room", room);
  },

  new_message(chat, message) {
    const isNew = !chat.rooms.has(message.roomId);
    if (isNew && chat.wasLeft(message.roomId)) return;
    const room = chat.room(message.roomId);
    const { added, hole } = room.timeline.receive(message);
    chat.absorb(room, added);
    for (const other of added) if (other.userId !== chat.me) chat.fire("message", { room, message: other });
    if (hole || isNew) chat.join(room);
  },

  /** Straight to this user: somebody's page says that it made a room for both. */
  message(chat, { metadata }) {
    if (typeof metadata?.roomId === "string" && !chat.rooms.has(metadata.roomId)) chat.pollRooms().catch(() => {});
  },

  user_joined(chat, { roomId, userId, username }) {
    const room = chat.rooms.get(roomId);
    if (!room) return;
    chat.directory.learn([{ userId, username }]);
    if (!room.people.has(userId)) adjustOnline(room, 1);
    room.people.set(userId, { userId, username });
    chat.presence.watch([userId]);
    chat.fire("room", room);
  },

  user_left(chat, { roomId, userId }) {
    const room = chat.rooms.get(roomId);
    if (!room) return;
    if (room.people.delete(userId)) adjustOnline(room, -1);
    room.setTyping(userId, false);
    chat.fire("room", room);
  },

  user_typing(chat, { roomId, userId, username, isTyping }) {
    const room = chat.rooms.get(roomId);
    if (!room || userId === chat.me) return;
    chat.directory.learn([{ userId, username }]);
    room.setTyping(userId, isTyping, () => chat.fire("room", room));
    chat.fire("room", room);
  },

  message_read(chat, { roomId, userId, seq }) {
    const room = chat.rooms.get(roomId);
    if (!room) return;
    if (userId === chat.me) room.readElsewhere(seq);
    else room.noteRead(userId, seq);
    chat.fire("room", room);
    chat.fire("rooms");
  },

  resync_required(chat, { roomId }) {
    const room = chat.rooms.get(roomId);
    if (!room || chat.joiner.resync(roomId)) return;
    room.timeline.reset();
    chat.join(room).then(() => chat.fire("resynced", room));
  },

  /** Refused requests carry their refusal as the reply; this is about the connection as a whole. */
  error(chat, { code, message }) {
    chat.fire("notice", `${message ?? "The server reports an error"} (${code ?? "error"})`);
  },

  token_expiring(chat, data) {
    chat.fire("expiring", data);
  },
};

function adjustOnline(room, by) {
  if (room.counts) room.counts.online = Math.max(0, room.counts.online + by);
}
