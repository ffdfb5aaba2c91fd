import { ModerateDialog } from "./moderate-dialog.js";

/** What the entries of a person's menu do. `page` has direct, mention, settings and notice. */
export function personCommands(chat, page) {
  const dialog = new ModerateDialog((kind, userId, { until, reason }) => {
    const room = chat.active;
    return kind === "ban" ? chat.moderation.ban(room, userId, { until, reason }) : chat.moderation.setMute(room, userId, until);
  });
  const attempt = async (work, done) => {
    try {
      await work();
      if (done) page.notice(done);
    } catch (error) {
      page.notice(`${error.message} (${error.code})`);
    }
  };
  const name = (userId) => chat.directory.nameOf(userId);
  return {
    direct: (userId) => page.direct(userId),
    mention: (userId) => page.mention(userId),
    settings: () => page.settings(),
    moderate: (userId, kind) => dialog.show(kind, userId, name(userId)),
    unmute: (userId) => attempt(() => chat.moderation.setMute(chat.active, userId, null), `${name(userId)} can write again.`),
    setRole: (userId, role) => attempt(() => chat.moderation.setRole(chat.active, userId, role), `${name(userId)} is ${role} now.`),
    setOwner: (userId) => attempt(() => chat.change(chat.active, { owner: userId }), `${name(userId)} owns this room now.`),
    block: (userId, isBlocked) =>
      attempt(() => chat.moderation.setBlock(userId, isBlocked), `${name(userId)} is ${isBlocked ? "blocked" : "no longer blocked"}.`),
  };
}
