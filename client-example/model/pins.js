const pageSize = 1000;
/** Most pages of changed messages looked through for pins. */
const mostPages = 5;

/** The room's pinned messages, the newest first: those among the messages here, and those the server says have changed. */
export async function loadPins(api, room) {
  const found = new Map();
  let after = 0;
  for (let page = 0; page < mostPages; page += 1) {
    const { messages, hasMore } = await api.changes(room.id, { after, limit: pageSize });
    for (const message of messages) found.set(message.messageId, message);
    if (!hasMore || messages.length === 0) break;
    after = messages.at(-1).changeSeq;
  }
  for (const message of room.shown.messages) found.set(message.messageId, message);
  return [...found.values()].filter(({ pinned, deleted }) => pinned && !deleted).sort((a, b) => b.seq - a.seq);
}
