import { buttons, element, find, replace, table } from "./dom.js";
import { moment } from "./format.js";

export function showRooms(answer, acts) {
  const rows = answer.rooms.map((room) => [
    room.roomId, String(room.sessions), String(room.lastSeq), room.instances.join(", "),
    buttons(["Messages", () => acts.openRoom(room.roomId), `Messages of ${room.roomId}`]),
  ]);
  const caption = `${answer.rooms.length} of ${answer.total} rooms with sessions`;
  replace(find("rooms-list"), element("div", { class: "scroll" },
    table(caption, ["Room", "Sessions", "Newest number", "Instances", "Actions"], rows)));
}

export function showRoom(room, answer, acts) {
  const rows = answer.messages.toReversed().map((message) => [
    String(message.seq), message.username === message.userId ? message.userId : `${message.username} (${message.userId})`,
    moment(message.timestamp), message.deleted ? element("em", {}, "deleted") : message.message,
    buttons(
      ...(message.deleted ? [] : [["Delete", () => acts.deleteMessage(room, message), `Delete message ${message.seq}`]]),
      ["Mute", () => acts.mute(room, message.userId), `Mute ${message.userId}`],
      ["Ban", () => acts.ban(message.userId), `Ban ${message.userId}`]),
  ]);
  find("room").replaceChildren(element("h2", {}, `Room ${room}`), element("div", { class: "scroll" },
    table("The newest messages, the last one first", ["Number", "Author", "Time (UTC)", "Message", "Actions"], rows)));
}
