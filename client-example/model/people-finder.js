import { RequestError } from "../sdk/index.js";
import { userIdFrom } from "./identity.js";
import { folded, matching } from "./mentions.js";

const pageSize = 1000;
/** Most users looked through for a name. */
const mostUsers = 20_000;

/** Finds users by an id, or the name that people see. */
export class PeopleFinder {
  #connection;
  #api;
  #features;

  constructor(connection, api, features) {
    this.#connection = connection;
    this.#api = api;
    this.#features = features;
  }

  /**
   * The users that typed texts name.
   * @param {string[]} texts
   * @returns {Promise<{userId: string, username: string}[]>} in the same order
   * @throws {RequestError} `unknown_user`, or `ambiguous_name` when several people have a name
   */
  async find(texts) {
    const people = await this.#all();
    return texts.map((text) => pick(text.trim(), people));
  }

  /** People whose name or id begins like that, while it is typed. */
  async search(query, most) {
    if (this.#features.has("user search")) {
      try {
        return await this.#features.attempt("user search", () => this.#api.users({ q: query, limit: most }));
      } catch (error) {
        if (!error.isUnknownPath) throw error;
      }
    }
    const people = (await this.#all()).map((person) => ({ ...person, name: person.username ?? person.userId }));
    return matching(people, query, most);
  }

  async #all() {
    const people = [];
    let cursor;
    do {
      const page = await this.#connection.emit("get_all_users", { limit: pageSize, cursor });
      people.push(...(page.users ?? []));
      cursor = page.cursor;
    } while (cursor && people.length < mostUsers);
    return people;
  }
}

function pick(text, people) {
  const exact = people.find(({ userId }) => userId === text);
  if (exact) return exact;
  const [name, id] = [folded(text.trim()), userIdFrom(text)];
  const found = people.filter(({ userId, username }) => userId === id || folded(username ?? "").trim() === name);
  if (found.length === 0) throw new RequestError("unknown_user", `Nobody here is called “${text}”.`);
  if (found.length === 1) return found[0];
  const ids = found.map(({ userId }) => userId).slice(0, 5);
  throw new RequestError("ambiguous_name", `Several people are called “${text}”. Enter one of their ids: ${ids.join(", ")}.`);
}
