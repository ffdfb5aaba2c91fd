/**
 * When to come back after a connection ended, as values only.
 *
 * Full jitter: each delay is uniform between 0 and a ceiling that doubles, so that clients cut off together
 * do not come back together.
 */
export class Backoff {
  static base = 500;
  static slowBase = 5_000;
  static ceiling = 30_000;

  attempt = 0;

  reset() {
    this.attempt = 0;
  }

  /** Milliseconds until the next try. */
  next({ slow = false, random = Math.random } = {}) {
    const base = slow ? Backoff.slowBase : Backoff.base;
    const most = Math.min(Backoff.ceiling, base * 2 ** this.attempt);
    this.attempt += 1;
    return Math.round(most * random() + (slow ? base / 2 : 0));
  }
}

const adviceByCode = {
  1002: "stop",
  1003: "stop",
  1007: "stop",
  1009: "stop",
  1013: "slow",
  4400: "stop",
  4401: "signIn",
  4403: "stop",
  4409: "replaced",
  4429: "slow",
};

/** What a close code asks of the client: `retry`, `slow`, `stop`, `signIn` or `replaced`. */
export function adviceFor(code) {
  return adviceByCode[code] ?? "retry";
}
