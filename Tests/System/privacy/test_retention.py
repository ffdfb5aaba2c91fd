"""Messages lose their text when the deployment's days are over."""

import sqlite3

from support.deadline import eventually
from support.privacy import ENVIRONMENT, is_in_files

DAY = 86_400_000
SECRET = "qqsecret"


def test_old_messages_expire(make_server, make_chat):
    server = make_server(ENVIRONMENT)
    ann = make_chat(server, "ann")
    ann.join("r")
    for number in range(300):
        ann.send("r", f"{SECRET} {number}")
    ann.send("r", "young")
    server.terminate()
    _make_older(server, through=300, days=8)
    server.restart({"MESSAGE_RETENTION_DAYS": "7"})
    eventually(lambda: not is_in_files(server, SECRET), "the old texts are gone")
    history = server.get("/api/chat/r/history?limit=1000").json()["messages"]
    assert [message["seq"] for message in history] == list(range(1, 302)), "the numbers stay"
    assert [message["message"] for message in history[299:]] == ["", "young"]
    assert history[0]["deleted"] is True and history[0]["userId"] == "ann"


def test_messages_are_kept_for_ever_without_days(make_server, make_chat):
    server = make_server(ENVIRONMENT)
    ann = make_chat(server, "ann")
    ann.join("r")
    ann.send("r", SECRET)
    server.terminate()
    _make_older(server, through=1, days=40_000)
    server.restart()
    # What is erased at start is erased before a message that is sent then gets old.
    again = make_chat(server, "ann")
    again.join("r")
    again.send("r", "another")
    assert server.get("/api/chat/r/history").json()["messages"][0]["message"] == SECRET


def _make_older(server, through: int, days: int) -> None:
    """Puts the time of messages back, of a store that is closed."""
    with sqlite3.connect(server.directory / "data" / "chat.db") as database:
        changed = database.execute(
            "UPDATE messages SET timestamp = timestamp - ? WHERE key & 4294967295 <= ?", (days * DAY, through)
        ).rowcount
    database.close()
    assert changed == through
