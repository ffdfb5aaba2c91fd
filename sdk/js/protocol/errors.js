/** Why a request got no good answer: the server's refusal, or what happened to it on the way. */
export class RequestError extends Error {
  /** How long the server asks to wait before the next attempt, in milliseconds. */
  retryAfter = 0;
  /** The server has no such call. */
  isUnknownPath = false;

  /** @param {string} code the server's error code, or `connection_lost`, `timeout`, `network`, `left` */
  constructor(code, message, retryable = false) {
    super(message);
    this.name = "RequestError";
    this.code = code;
    this.retryable = retryable;
  }

  /** The server may have carried the request out: only a retry under the same id is safe. */
  get isUnknownOutcome() {
    return this.code === "connection_lost" || this.code === "timeout";
  }

  static unreachable() {
    return new RequestError("network", "The server cannot be reached.", true);
  }

  static connectionLost() {
    return new RequestError("connection_lost", "The connection was lost before the server answered.", true);
  }

  static left() {
    return new RequestError("left", "The room was left before it was joined.");
  }

  static timeout(event) {
    return new RequestError("timeout", `The server did not answer “${event}” in time.`, true);
  }

  /** The error that a refusal on the wire describes: `{code, message, retryable, retryAfterMs?}`. */
  static refusal({ code, message, retryable, retryAfterMs } = {}) {
    const error = new RequestError(code ?? "error", message ?? "The server refused the request.", Boolean(retryable));
    error.retryAfter = Number(retryAfterMs) || 0;
    return error;
  }
}

/** The value of an answer's data; throws the refusal that it carries. */
export function unwrapReply(data) {
  if (data && data.success === false) throw RequestError.refusal(data.error);
  return data ?? {};
}

/** The detail with which the server says that it has no such call; a missing object has another detail. */
const unknownPath = "there is nothing at this path";

/** The refusal in a REST answer, a problem document (RFC 9457). */
export function problem(status, { code, detail, title, retryable }) {
  const text = detail ?? title ?? `The server answered ${status}.`;
  const error = new RequestError(code ?? String(status), text, retryable ?? (status === 429 || status >= 500));
  error.isUnknownPath = status === 404 && detail === unknownPath;
  return error;
}
