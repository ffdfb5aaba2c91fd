/** What this user may do with a message, as far as the page knows; the server has the last word. */
export function permissions(chat, room, message) {
  const isThere = !message.deleted && !chat.actions.isGoing(message.messageId);
  const isOwn = message.userId === chat.me;
  const isModerator = chat.moderation.mayModerate(room);
  const may = (feature, isAllowed = true) => isThere && isAllowed && room.isJoined && chat.features.has(feature);
  return {
    reply: isThere && mayWrite(chat, room),
    thread: chat.features.has("threads"),
    react: may("reactions", mayWrite(chat, room)),
    edit: may("editing", isOwn && mayWrite(chat, room)),
    delete: may("deleting", isOwn || isModerator),
    pin: may("pins", isModerator),
    flag: may("flags", !isOwn && !room.isDirect),
    copy: isThere && message.message !== "",
  };
}

/** In a read-only room only its owner and its moderators write. */
export function mayWrite(chat, room) {
  if (room.error) return false;
  if (chat.moderation?.isMuted(room, chat.me)) return false;
  return !room.settings.readOnly || chat.moderation.mayModerate(room);
}
