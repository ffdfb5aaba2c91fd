import { buttons, element, find, replace, table } from "./dom.js";
import { age, bytes } from "./format.js";

const COLUMNS = ["User", "Session", "Address", "Connected", "Idle", "Queued", "Rooms", "Actions"];

function row(session, acts) {
  const user = session.userId;
  const name = user == null ? "not signed in" : session.username === user ? user : `${session.username} (${user})`;
  const more = session.roomCount - session.rooms.length;
  return [
    element("span", { title: session.userAgent ?? "" }, name),
    `${session.socketId} · ${session.framing} on ${session.instance}`, session.address ?? "–", age(session.connectedAt),
    age(session.lastActivity), bytes(session.queuedBytes),
    session.rooms.join(", ") + (more > 0 ? ` and ${more} more` : "") || "–",
    user == null ? "" : buttons(
      ["Disconnect", () => acts.disconnect(user, session.socketId), `Disconnect ${user}`],
      ["Ban", () => acts.ban(user), `Ban ${user}`]),
  ];
}

export const sessionTable = (caption, sessions, acts) =>
  element("div", { class: "scroll" }, table(caption, COLUMNS, sessions.map((session) => row(session, acts))));

export function showSessions(answer, acts) {
  const caption = `${answer.sessions.length} of ${answer.total} sessions`;
  replace(find("sessions-list"), sessionTable(caption, answer.sessions, acts));
}
