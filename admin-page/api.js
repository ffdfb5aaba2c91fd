/** The calls of the management interface. The key or token stays in memory, and goes into header fields only. */
export class Refusal extends Error {
  constructor(status, problem) {
    super(problem?.detail ?? `the server answered ${status}`);
    this.status = status;
  }
}

export class Api {
  #headers;

  /** @param {{kind: "key" | "token", secret: string, actor: string}} credentials */
  constructor({ kind, secret, actor }) {
    this.#headers = kind === "key" ? { "X-Service-Key": secret } : { Authorization: `Bearer ${secret}`, "X-Admin": "true" };
    if (kind === "key" && actor) this.#headers["X-User-Id"] = actor;
  }

  async #call(method, path, { query, body } = {}) {
    const parameters = new URLSearchParams(Object.entries(query ?? {}).filter(([, value]) => value !== "" && value != null));
    const headers = { ...this.#headers };
    if (body) headers["Content-Type"] = "application/json";
    const response = await fetch(parameters.size ? `${path}?${parameters}` : path, {
      method, headers, body: body && JSON.stringify(body), cache: "no-store", redirect: "error",
    });
    const answer = await response.json().catch(() => null);
    if (!response.ok) throw new Refusal(response.status, answer);
    return answer;
  }

  stats() { return this.#call("GET", "/internal/stats"); }
  sessions(query) { return this.#call("GET", "/internal/sessions", { query }); }
  rooms(query) { return this.#call("GET", "/internal/rooms", { query }); }
  audit(query) { return this.#call("GET", "/internal/audit", { query }); }
  history(room) { return this.#call("GET", `/api/chat/${encodeURIComponent(room)}/history`, { query: { limit: 30 } }); }

  disconnect(user, socketId) {
    return this.#call("DELETE", `/internal/users/${encodeURIComponent(user)}/sessions`, { query: { socketId } });
  }
  ban(user, terms) { return this.#call("PUT", `/internal/bans/${encodeURIComponent(user)}`, { body: terms }); }
  mute(room, user, terms) {
    return this.#call("PUT", `/api/rooms/${encodeURIComponent(room)}/mutes/${encodeURIComponent(user)}`, { body: terms });
  }
  deleteMessage(room, message) {
    return this.#call("DELETE", `/api/chat/${encodeURIComponent(room)}/messages/${encodeURIComponent(message)}`);
  }
  drain(instance) { return this.#call("POST", "/internal/drain", { query: { instance } }); }
}
