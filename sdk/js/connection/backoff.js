/**
 * How long to wait before the next attempt, as values only.
 *
 * Full jitter: each delay is uniform between 0 and a ceiling that doubles. So clients that lost their connections together do
 * not come back together.
 */
export class Backoff {
  /** Milliseconds; the ceiling of the first delay. */
  static base = 500;
  /** Milliseconds; the same for a server that asks for patience. */
  static slowBase = 5_000;
  /** Milliseconds; no ceiling is higher. */
  static ceiling = 30_000;

  attempt = 0;

  reset() {
    this.attempt = 0;
  }

  /** Milliseconds until the next attempt. */
  next({ slow = false, random = Math.random } = {}) {
    const base = slow ? Backoff.slowBase : Backoff.base;
    const most = Math.min(Backoff.ceiling, base * 2 ** this.attempt);
    this.attempt += 1;
    return Math.round(most * random() + (slow ? base / 2 : 0));
  }
}
