import { statusName } from "../model/statuses.js";
import { avatar } from "./avatar.js";
import { h } from "./dom.js";
import { showMenu } from "./menu.js";
import { lastSeen } from "./text.js";

/** A person's card, with what this user can do about them in the open room. */
export class PersonMenu {
  #chat;
  #commands;

  /** @param commands {direct, mention, moderate(kind, userId), setRole, remove, block}, each with a user's id */
  constructor(chat, commands) {
    this.#chat = chat;
    this.#commands = commands;
  }

  async show(userId, anchor) {
    await this.#chat.moderation.loadBlocks().catch(() => {});
    const name = this.#chat.directory.nameOf(userId);
    showMenu(anchor, name, this.#items(userId), this.#card(userId, name));
  }

  #card(userId, name) {
    const presence = this.#chat.presence.of(userId);
    const room = this.#chat.active;
    const seen = presence?.status === "offline" ? lastSeen(Date.parse(presence.lastSeen)) : null;
    const role = room && !room.isDirect ? this.#chat.moderation.roleOf(room, userId) : "member";
    const facts = [userId !== name && userId, role !== "member" && role, seen ?? (presence && statusName(presence.status))];
    return h(
      "div",
      { class: "card-head" },
      avatar(userId, name, { status: presence?.status }),
      h("span", { class: "lines" }, h("strong", {}, name), h("small", {}, facts.filter(Boolean).join(" · "))),
    );
  }

  #items(userId) {
    const { moderation, me, features } = this.#chat;
    const room = this.#chat.active;
    const isMe = userId === me;
    const mayAct = room && moderation.mayActOn(room, userId) && features.has("roles");
    const isOwner = room && moderation.isOwner(room) && !isMe && features.has("roles");
    const isModerator = room && moderation.roleOf(room, userId) === "moderator";
    const isMuted = room && moderation.isMuted(room, userId);
    const run = (name, ...more) => () => this.#commands[name](userId, ...more);
    const items = [
      !isMe && { label: "Message", icon: "chat", run: run("direct") },
      room?.isJoined && !isMe && { label: "Mention", icon: "mention", run: run("mention") },
      isMe && { label: "Settings", icon: "settings", run: run("settings") },
    ];
    const power = [
      isOwner && !isModerator && { label: "Make moderator", icon: "shield", run: run("setRole", "moderator") },
      isOwner && isModerator && { label: "No longer moderator", icon: "shield", run: run("setRole", "member") },
      isOwner && { label: "Make owner", icon: "shield", run: run("setOwner") },
      mayAct && { label: isMuted ? "Unmute" : "Mute…", icon: "mute", run: isMuted ? run("unmute") : run("moderate", "mute") },
      mayAct && { label: "Ban…", icon: "ban", isDangerous: true, run: run("moderate", "ban") },
    ];
    const isBlocked = moderation.isBlocked(userId);
    const block = { label: isBlocked ? "Unblock" : "Block", icon: "ban", isDangerous: !isBlocked, run: run("block", !isBlocked) };
    const personal = [!isMe && features.has("blocks") && block];
    const groups = [items, power, personal].map((group) => group.filter(Boolean)).filter((group) => group.length > 0);
    return groups.flatMap((group, index) => (index > 0 ? [null, ...group] : group));
  }
}
