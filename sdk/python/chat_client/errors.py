"""Why a request got no good answer."""

from typing import Any, Mapping


class RequestError(Exception):
    """The server's refusal, or what happened to a request on the way.

    `code` is the server's error code, or `connection_lost`, `timeout`, `network`, `token_unavailable`, `left`. `retry_after` is in seconds.
    """

    def __init__(self, code: str, message: str, retryable: bool = False, retry_after: float = 0):
        super().__init__(message)
        self.code = code
        self.message = message
        self.retryable = retryable
        self.retry_after = retry_after

    @classmethod
    def refusal(cls, error: Mapping[str, Any]) -> "RequestError":
        """The error that a refusal on the wire describes."""
        code, message = error.get("code") or "error", error.get("message") or "The server refused the request."
        return cls(code, message, bool(error.get("retryable")), (error.get("retryAfterMs") or 0) / 1000)

    @classmethod
    def connection_lost(cls) -> "RequestError":
        return cls("connection_lost", "The connection was lost before the server answered.", retryable=True)

    @classmethod
    def left(cls) -> "RequestError":
        return cls("left", "The room was left before it was joined.")


# What a close code asks of the client; every other code asks to come back.
_ADVICE = {
    1002: "stop",
    1003: "stop",
    1007: "stop",
    1009: "stop",
    1013: "slow",
    4400: "stop",
    4401: "sign_in",
    4403: "stop",
    4409: "stop",
    4429: "slow",
}


def advice_for(close_code: int) -> str:
    """`retry`, `slow`, `stop` or `sign_in`."""
    return _ADVICE.get(close_code, "retry")
