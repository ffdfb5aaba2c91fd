import { RequestError } from "../net/request-error.js";
import { userIdFrom } from "./identity.js";

const pageSize = 1000;
/** Most users looked through for a name. */
const mostUsers = 20_000;

/** Finds the user that the typed text names: an id, or the name that people see. */
export class PeopleFinder {
  #connection;

  constructor(connection) {
    this.#connection = connection;
  }

  /**
   * @param {string[]} texts
   * @returns {Promise<{userId: string, username: string}[]>} in the same order
   * @throws {RequestError} `unknown_user`, or `ambiguous_name` when several people have a name
   */
  async find(texts) {
    const people = await this.#everybody();
    return texts.map((text) => pick(text.trim(), people));
  }

  async #everybody() {
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
  const [name, id] = [folded(text), userIdFrom(text)];
  const found = people.filter(({ userId, username }) => userId === id || folded(username ?? "") === name);
  if (found.length === 0) throw new RequestError("unknown_user", `Nobody here is called “${text}”.`);
  if (found.length === 1) return found[0];
  const ids = found.map(({ userId }) => userId).slice(0, 5);
  throw new RequestError("ambiguous_name", `Several people are called “${text}”. Enter one of their ids: ${ids.join(", ")}.`);
}

const folded = (name) => name.normalize("NFKC").trim().toLowerCase();
