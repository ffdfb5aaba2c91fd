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

/** Socket.IO has no close codes. An `error` event with one of these codes comes before a disconnect packet instead. */
const codeByError = {
  bad_frame: 4400,
  bad_request: 4400,
  unknown_event: 4400,
  unauthorized: 4401,
  unauthenticated: 4401,
  forbidden: 4403,
  banned: 4403,
  replaced: 4409,
};

/** The close code that a raw connection would have ended with. */
export function closeCodeOf(errorCode) {
  return codeByError[errorCode] ?? 4403;
}
