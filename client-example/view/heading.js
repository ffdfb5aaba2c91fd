import { statusName } from "../model/statuses.js";
import { byId } from "./dom.js";
import { lastSeen, listNames, plural } from "./text.js";

/** The open room's name, how many are here, and the people typing. */
export function renderHeading(chat) {
  const room = chat.active;
  byId("room-title").textContent = room ? room.title(chat.me, chat.directory) : "No room open";
  byId("room-subtitle").textContent = room ? subtitle(room, chat) : "";
  byId("room-menu").hidden = !room;
  byId("show-search").hidden = !chat.features.has("search");
  byId("typing").textContent = room ? typingText(room, chat) : "";
}

function subtitle(room, chat) {
  if (room.error) return `${room.error.message} (${room.error.code})`;
  if (!room.isJoined) return chat.connection.isOnline ? "Joining…" : "Not connected";
  if (room.isDirect) return directText(room, chat);
  const online = Math.max(room.people.size, room.counts?.online ?? 0);
  const members = room.counts?.members ?? 0;
  const here = `${online.toLocaleString()} here now`;
  const count = members > online ? `${plural(members, "member")}, ${here}` : here;
  return room.settings.readOnly ? `${count} · read-only` : count;
}

function directText(room, chat) {
  const partner = room.partner(chat.me);
  const presence = chat.presence?.of(partner);
  const isHere = room.people.has(partner);
  if (!presence) return isHere ? "Here now" : "Not here now";
  if (presence.status === "online") return isHere ? "Here now" : "Online";
  if (presence.status !== "offline") return statusName(presence.status);
  return lastSeen(Date.parse(presence.lastSeen)) ?? "Offline";
}

function typingText(room, chat) {
  const names = room.typing.userIds.map((userId) => chat.directory.nameOf(userId));
  if (names.length === 0) return "";
  if (names.length > 3) return "Several people are typing…";
  return `${listNames(names)} ${names.length === 1 ? "is" : "are"} typing…`;
}
