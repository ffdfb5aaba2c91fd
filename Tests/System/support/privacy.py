"""Erasures and exports over REST, as another service calls them."""

import json
from typing import Any, Iterator

from support.deadline import eventually
from support.server import Server

KEY = "a service key of a test"
ENVIRONMENT = {"SERVICE_API_KEY": KEY, "PRESENCE_GRACE_MS": "200"}
SERVICE = {"X-Service-Key": KEY}


def erase_user(server: Server, user: str, messages: str = "erase") -> dict[str, Any]:
    answer = server.request("DELETE", f"/internal/users/{user}?messages={messages}", headers=SERVICE)
    assert answer.status_code == 202, answer.text
    return answer.json()


def erase_room(server: Server, room: str) -> dict[str, Any]:
    answer = server.request("DELETE", f"/internal/rooms/{room}?erase=true", headers=SERVICE)
    assert answer.status_code == 202, answer.text
    return answer.json()


def wait_for_erasure(server: Server, path: str) -> None:
    """`path`: `users/ada` or `rooms/general`."""

    def is_over() -> bool:
        answer = server.get(f"/internal/{path}", headers=SERVICE)
        assert answer.status_code in (200, 202), answer.text
        return answer.status_code == 200 and answer.json()["state"] == "none"

    eventually(is_over, f"the erasure of {path} is over", timeout=120)


def export(server: Server, path: str) -> Iterator[dict[str, Any]]:
    """All lines of an export, over its pages."""
    cursor: str | None = None
    while True:
        params = {} if cursor is None else {"cursor": cursor}
        answer = server.get(f"/internal/{path}/export", headers=SERVICE, params=params)
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"] == "application/x-ndjson"
        *lines, last = [json.loads(line) for line in answer.text.splitlines()]
        yield from lines
        if last["type"] == "end":
            return
        assert last["type"] == "next"
        cursor = last["cursor"]


def wait_until_gone(server: Server, *texts: str) -> None:
    """The job itself names its subject, and leaves the files a moment after it is over."""
    for text in texts:
        eventually(lambda: not is_in_files(server, text), f"{text} is in no file")


def is_in_files(server: Server, text: str) -> bool:
    """Whether a file of the data directory holds a text."""
    files = (path for path in (server.directory / "data").rglob("*") if path.is_file())
    return any(text.encode() in path.read_bytes() for path in files)
