/** How long a request may stay unanswered, in milliseconds. */
export const replyTimeout = 10_000;

/** Why a request got no good answer: the server's refusal, or what happened to it on the way. */
export class RequestError extends Error {
  /** How long the server asks to wait before the next try, in milliseconds. */
  retryAfter = 0;
  /** The server has no such call. */
  isUnknownPath = false;

  /** @param {string} code the server's error code, or `connection_lost`, `timeout`, `network` */
  constructor(code, message, retryable = false) {
    super(message);
    this.name = "RequestError";
    this.code = code;
    this.retryable = retryable;
  }

  /** The request may have been carried out all the same: only a retry under the same id is safe. */
  get isUnknownOutcome() {
    return this.code === "connection_lost" || this.code === "timeout";
  }

  static unreachable() {
    return new RequestError("network", "The server cannot be reached.", true);
  }

  static connectionLost() {
    return new RequestError("connection_lost", "The connection was lost before the server answered.", true);
  }

  static timeout(event) {
    return new RequestError("timeout", `The server did not answer “${event}” in time.`, true);
  }
}

/** Turns a reply's data into its value, or throws the refusal it carries. */
export function unwrapReply(data) {
  if (data && data.success === false) {
    const { code, message, retryable, retryAfterMs } = data.error ?? {};
    const error = new RequestError(code ?? "error", message ?? "The server refused the request.", Boolean(retryable));
    error.retryAfter = Number(retryAfterMs) || 0;
    throw error;
  }
  return data ?? {};
}

/** How the server says that it has no such call; what is merely not there has other words. */
const unknownPath = "there is nothing at this path";

/** The refusal in a REST answer. */
export function problem(status, { code, detail, title }) {
  const text = detail ?? title ?? `The server answered ${status}.`;
  const error = new RequestError(code ?? String(status), text, status === 429 || status >= 500);
  error.isUnknownPath = status === 404 && detail === unknownPath;
  return error;
}
