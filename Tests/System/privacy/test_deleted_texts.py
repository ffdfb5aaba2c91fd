"""Deleted texts are in no file of the embedded store: in no row, free page, unused part of a page, or log."""

import random
import re
from pathlib import Path

from support.deadline import eventually

MARK = re.compile(rb"qz\d{7}")
ROOMS = 30


def marks(directory: Path) -> set[str]:
    found: set[str] = set()
    for file in directory.glob("chat.db*"):
        found |= {mark.decode() for mark in MARK.findall(file.read_bytes())}
    return found


def test_nothing_of_deleted_messages_is_left(make_server, make_chat):
    """Messages of different lengths in many rooms, so that SQLite moves rows from page to page, also into the index of words."""
    server = make_server({"RATE_LIMIT_MESSAGES": "0"})
    ann = make_chat(server, "ann")
    source = random.Random(5)
    for room in range(ROOMS):
        ann.join(f"room-{room}")
    kept: dict[str, tuple[str, str]] = {}
    deleted: set[str] = set()
    number = 0
    for _ in range(8):
        sent = []
        for _ in range(400):
            number += 1
            mark, room = f"qz{1_000_000 + number}", f"room-{source.randrange(ROOMS)}"
            text = " ".join([mark] * source.choice([1, 2, 8, 40, 200]))
            sent.append((mark, room, ann.emit_with_id("send_message", {"roomId": room, "message": text})))
        for mark, room, id in sent:
            kept[mark] = (room, ann.reply(id)["messageId"])
        leaving = source.sample(sorted(kept), 100)
        ids = []
        for mark in leaving:
            room, message = kept.pop(mark)
            ids.append(ann.emit_with_id("delete_message", {"roomId": room, "messageId": message}))
        assert all(ann.reply(id)["success"] for id in ids)
        deleted.update(leaving)
        ann.inbox.clear()
        # Later messages come to tables that hold these. That is done about a second behind the answers.
        eventually(lambda: not deleted & marks(server.directory / "data"), "all deleted texts are gone")
    found = marks(server.directory / "data")
    assert found >= set(kept) and not found & deleted
