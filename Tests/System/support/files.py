"""Files, and the requests that bring them."""

import struct
import zlib
from typing import Any

USER = {"X-User-Id": "ann"}
HOUR = 3600


def png(width: int, height: int) -> bytes:
    """A grey image; of a huge size it is a small file that takes much memory where it is decoded."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress(b"\0" * (min(width, 100) + 1) * min(height, 100))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def upload(server, room: str, content: bytes = b"some text", name: str | None = "note.txt", user: str = "ann", **headers: str):
    """The response to an upload of a raw body."""
    fields = {"X-User-Id": user, **{key.replace("_", "-"): value for key, value in headers.items()}}
    params = {} if name is None else {"name": name}
    return server.post(f"/api/chat/{room}/files", params=params, data=content, headers=fields)


def uploaded(server, room: str, *arguments, **options) -> dict[str, Any]:
    """A file that was uploaded."""
    answer = upload(server, room, *arguments, **options)
    assert answer.status_code == 201, answer.text
    return answer.json()


def download(server, file: dict[str, Any], user: str | None = "ann", **headers: str):
    """The response to a download by a user, without the signature."""
    fields = {key.replace("_", "-"): value for key, value in headers.items()}
    if user is not None:
        fields["X-User-Id"] = user
    return server.get(file["url"].split("?")[0], headers=fields)


def make_room(server, room: str, *participants: str, private: bool = True) -> None:
    body = {"roomId": room, "private": private, "participants": list(participants)}
    assert server.post("/api/rooms", json=body, headers={"X-User-Id": participants[0]}).status_code == 201
