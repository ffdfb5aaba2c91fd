"""Calls about who may do what, as tests make them."""

import time

import requests

KEY = "service-key-of-the-test-suite-0123456789"
SERVICE = {"X-Service-Key": KEY}


def by(user: str) -> dict[str, str]:
    return {"X-User-Id": user}


def make_room(server, room: str, owner: str = "owner", **fields) -> None:
    answer = server.post("/api/rooms", headers=by(owner), json={"roomId": room, **fields})
    assert answer.status_code == 201, answer.text


def put(server, path: str, user: str | None = "owner", status: int = 200, **body) -> requests.Response:
    """By a user, or by a service (`None`)."""
    answer = server.request("PUT", path, headers=by(user) if user else SERVICE, json=body)
    assert answer.status_code == status, answer.text
    return answer


def delete(server, path: str, user: str | None = "owner", status: int = 200) -> requests.Response:
    answer = server.request("DELETE", path, headers=by(user) if user else SERVICE)
    assert answer.status_code == status, answer.text
    return answer


def patch(server, room: str, user: str | None = "owner", status: int = 200, **body) -> requests.Response:
    answer = server.request("PATCH", f"/api/rooms/{room}", headers=by(user) if user else SERVICE, json=body)
    assert answer.status_code == status, answer.text
    return answer


def code_of(reply) -> str | None:
    """The code of a reply that refuses; None for one that does not."""
    return None if reply["success"] else reply["error"]["code"]


def send_code(chat, room: str, text: str = "hello", **fields) -> str | None:
    return code_of(chat.request("send_message", {"roomId": room, "message": text, **fields}))


def post_code(server, room: str, user: str, text: str = "hello", **fields) -> str | None:
    """The code of a refused message over REST; None for one that was taken."""
    answer = server.post(f"/api/chat/{room}/messages", headers=by(user), json={"message": text, **fields})
    if answer.status_code in (200, 201):
        return None
    return answer.json()["code"]


# How long a short ban lasts: a slow machine finds the user banned within it.
BAN_SECONDS = 8


def soon(seconds: float) -> int:
    """A time that much later, in milliseconds since 1970."""
    return int((time.time() + seconds) * 1000)
