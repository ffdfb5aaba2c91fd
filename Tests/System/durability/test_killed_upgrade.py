"""The process is killed without warning while it brings a file of an earlier version up to date."""

import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path

ROOMS = 5
MESSAGES = 60
ALICE = {"X-User-Id": "alice"}

# What version 8 of the file had in place of what version 9 has.
FORMER = """
    INSERT INTO search_documents(position, key) SELECT position, key FROM search_places;
    DROP VIEW indexed_messages;
    DROP TABLE search_places;
    ALTER TABLE message_ids DROP COLUMN position;
    PRAGMA user_version = 8;
"""


def test_an_upgrade_may_be_killed_at_any_moment(make_server, tmp_path):
    """Nothing acknowledged is lost, doubled, or no longer found, and numbers go on where they were."""
    server = make_server()
    sent = {f"room-{n}": [f"word{n}x{number}" for number in range(MESSAGES)] for n in range(ROOMS)}
    for room in sent:
        assert server.post("/api/rooms", headers=ALICE, json={"roomId": room}).status_code == 201
    for number in range(MESSAGES):
        for room, texts in sent.items():
            _say(server, room, texts[number])
        if number == MESSAGES // 2:
            # Some are in their table and some in the journal.
            time.sleep(1.5)
    server.kill()
    directory = server.directory / "data"
    with closing(sqlite3.connect(directory / "chat.db")) as file:
        file.executescript(FORMER)
    versions = []
    # Each life is a little longer than the last, so that one of them ends in the middle.
    for life in range(500):
        server.start(wait=False)
        time.sleep(life * 0.002)
        server.kill()
        versions.append(_version(directory, tmp_path / "copy"))
        if versions[-5:] == [9] * 5:
            break
    assert versions[0] == 8 and versions == sorted(versions) and versions[-5:] == [9] * 5
    server.start()
    for room, texts in sent.items():
        page = server.get(f"/api/chat/{room}/history", params={"limit": 100}).json()
        assert [(m["seq"], m["message"]) for m in page["messages"]] == list(enumerate(texts, start=1))
        assert _say(server, room, "after")["seq"] == MESSAGES + 1
    for texts in sent.values():
        for text in texts[:: MESSAGES // 6]:
            assert _found(server, text) == [text]


def _say(server, room: str, text: str) -> dict:
    answer = server.post(f"/api/chat/{room}/messages", headers=ALICE, json={"message": text})
    assert answer.status_code == 201, answer.text
    return answer.json()


def _found(server, text: str) -> list[str]:
    answer = server.get("/api/search", headers=ALICE, params={"q": text})
    assert answer.status_code == 200, answer.text
    return [found["message"] for found in answer.json()["results"]]


def _version(directory: Path, copy: Path) -> int:
    """The version of a file, as its log says it. Looking at it would empty the log, so a copy is looked at."""
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir()
    for name in ("chat.db", "chat.db-wal"):
        if (directory / name).exists():
            shutil.copy(directory / name, copy)
    with closing(sqlite3.connect(copy / "chat.db")) as file:
        return file.execute("PRAGMA user_version").fetchone()[0]
