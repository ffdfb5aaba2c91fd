/** A higher role may act on a lower one. */
const ranks = { owner: 2, moderator: 1, member: 0 };

/** Roles, bans and mutes of rooms, as far as this user may see and change them; and the people that the user has blocked. */
export class Moderation {
  #api;
  #features;
  #me;
  #onChange;
  #roles = new Map();
  #mutes = new Map();
  #blocked = null;

  constructor(api, features, me, onChange) {
    this.#api = api;
    this.#features = features;
    this.#me = me;
    this.#onChange = onChange;
  }

  /** `owner`, `moderator` or `member`. */
  roleOf(room, userId) {
    if (room.settings.owner === userId) return "owner";
    if (userId === this.#me && room.settings.role) return room.settings.role;
    return this.#roles.get(room.id)?.get(userId) ?? "member";
  }

  isMuted(room, userId) {
    return this.#mutes.get(room.id)?.has(userId) ?? false;
  }

  /** This user may mute, ban and delete. */
  mayModerate(room) {
    return !room.isDirect && ranks[this.roleOf(room, this.#me)] >= ranks.moderator;
  }

  /** No user acts on one of the same or a higher role. */
  mayActOn(room, userId) {
    return this.mayModerate(room) && ranks[this.roleOf(room, this.#me)] > ranks[this.roleOf(room, userId)];
  }

  isOwner(room) {
    return this.roleOf(room, this.#me) === "owner";
  }

  /** Asks who has which role; moderators also who is muted. */
  async load(room) {
    if (room.isDirect || !this.#features.has("roles")) return;
    const roles = await this.#listed(room, "roles");
    this.#roles.set(room.id, new Map(roles.map(({ userId, role }) => [userId, role])));
    if (this.mayModerate(room)) {
      const mutes = await this.#listed(room, "mutes");
      this.#mutes.set(room.id, new Set(mutes.map(({ userId }) => userId)));
    }
    this.#onChange(room);
  }

  isBlocked(userId) {
    return this.#blocked?.has(userId) ?? false;
  }

  /** Asks once for the people this user has blocked. */
  async loadBlocks() {
    if (this.#blocked || !this.#features.has("blocks")) return;
    const blocks = await this.#features.attempt("blocks", () => this.#api.blocks());
    this.#blocked = new Set(blocks.map(({ userId }) => userId));
  }

  async setBlock(userId, isBlocked) {
    await this.#features.attempt("blocks", () => this.#api.setBlock(userId, isBlocked));
    this.#blocked ??= new Set();
    if (isBlocked) this.#blocked.add(userId);
    else this.#blocked.delete(userId);
  }

  bans(room) {
    return this.#listed(room, "bans");
  }

  async setRole(room, userId, role) {
    await this.#attempt(() => this.#api.setListed(room.id, "roles", userId, { role }));
    await this.load(room);
  }

  /** @param until when it ends, undefined for never; null lifts it */
  async setMute(room, userId, until) {
    await this.#attempt(() =>
      until === null ? this.#api.unsetListed(room.id, "mutes", userId) : this.#api.setListed(room.id, "mutes", userId, { until }),
    );
    await this.load(room);
  }

  async ban(room, userId, { until, reason }) {
    await this.#attempt(() => this.#api.setListed(room.id, "bans", userId, { until, reason: reason || undefined }));
  }

  async unban(room, userId) {
    await this.#attempt(() => this.#api.unsetListed(room.id, "bans", userId));
  }

  #listed(room, kind) {
    return this.#attempt(() => this.#api.listed(room.id, kind));
  }

  #attempt(work) {
    return this.#features.attempt("roles", work);
  }
}
