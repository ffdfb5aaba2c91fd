import { showMenu } from "./menu.js";

/** What can be done with the open room. */
export function showRoomMenu(anchor, room, chat, commands) {
  const items = [
    chat.features.has("pins") && { label: "Pinned messages", icon: "pin", run: commands.pins },
    !room.isDirect && { label: "Room settings", icon: "settings", run: commands.settings },
    { label: room.isDirect ? "Close this chat" : "Leave this room", icon: "leave", run: commands.leave, isDangerous: !room.isDirect },
  ];
  showMenu(anchor, "Room", items.filter(Boolean));
}
