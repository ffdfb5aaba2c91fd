import { readable } from "../model/mentions.js";
import { pickEmoji } from "./emoji-picker.js";

/**
 * What the buttons of messages do, in one list of them.
 * @param getRoom gives the room whose messages these are
 * @param page {composer(), goTo(room, seq), openThread(messageId), openPicture(file), download(file), notice(text)}
 */
export function messageCommands(chat, getRoom, page) {
  const message = (messageId) => getRoom().find(messageId);
  return {
    retry: (entry) => chat.retry(entry),
    discard: (entry) => chat.sender.discard(entry),
    retryEdit: (messageId) => chat.actions.edit(getRoom(), messageId, chat.actions.editOf(messageId)),
    discardEdit: (messageId) => chat.actions.discardEdit(getRoom(), messageId),
    undo: (messageId) => chat.actions.undo(messageId),
    remove: (messageId) => chat.actions.remove(getRoom(), messageId),
    react: (messageId, emoji) => chat.actions.react(getRoom(), message(messageId), emoji, chat.me),
    pickReaction: (messageId, anchor) => pickEmoji(anchor, (emoji) => chat.actions.react(getRoom(), message(messageId), emoji, chat.me)),
    pin: (messageId) => chat.actions.pin(getRoom(), message(messageId)),
    reply: (messageId) => page.composer().reply(messageId),
    edit: (messageId) => page.composer().edit(message(messageId)),
    copy: (messageId) => copyText(readable(message(messageId).message, (userId) => chat.directory.nameOf(userId)), page),
    flag: (messageId) => report(chat, getRoom(), messageId, page),
    openThread: (messageId) => page.openThread(messageId),
    goTo: (messageId) => page.goTo(getRoom(), message(messageId)?.seq),
    openPicture: (file) => page.openPicture(file),
    download: (file) => page.download(file).catch((error) => page.notice(`The file could not be fetched: ${error.message}`)),
  };
}

async function copyText(text, page) {
  try {
    await navigator.clipboard.writeText(text);
    page.notice("Copied.");
  } catch {
    page.notice("This browser does not let the page copy.");
  }
}

async function report(chat, room, messageId, page) {
  try {
    await chat.features.attempt("flags", () => chat.api.flag(room.id, messageId));
    page.notice("Reported to the moderators.");
  } catch (error) {
    page.notice(`It was not reported: ${error.message}`);
  }
}
