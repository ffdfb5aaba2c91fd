"""A deleted text is in no file of the data directory."""

from pathlib import Path

from support.deadline import eventually

LONG = "x" * 9000


def _holds(directory: Path, text: str) -> list[str]:
    needle = text.encode()
    return [str(file) for file in directory.rglob("*") if file.is_file() and needle in file.read_bytes()]


def _is_gone(server, secrets: list[str]) -> None:
    data = server.directory / "data"
    eventually(lambda: not any(_holds(data, secret) for secret in secrets), "the files have nothing of the texts")


def test_deleted_texts_leave_every_file(make_server, make_chat, room):
    server = make_server({"RATE_LIMIT_MESSAGES": "0"})
    alice = make_chat(server, "alice")
    alice.join(room)
    kept, gone = [], []
    for number in range(300):
        secret = number % 3 == 0
        text = f"{'secret' if secret else 'kept'}-text-{number:04}-{LONG if number % 50 == 0 else ''}"
        sent = alice.send(room, text, metadata={"note": text[:16]}, clientMessageId=f"c{number}")
        (gone if secret else kept).append((text[:16], sent["messageId"]))
        if number % 30 == 0:
            alice.ask("edit_message", {"roomId": room, "messageId": sent["messageId"], "message": text + "-edited"})
    assert _holds(server.directory / "data", gone[0][0]), "before they are deleted they are there"
    for _, id in gone:
        alice.ask("delete_message", {"roomId": room, "messageId": id})
    _is_gone(server, [text for text, _ in gone])
    page = server.get(f"/api/chat/{room}/history?limit=1000").json()["messages"]
    assert sum(message.get("deleted", False) for message in page) == len(gone)
    assert [m["message"][:14] for m in page if not m.get("deleted")] == [text[:14] for text, _ in kept]


def test_a_text_that_was_moved_before_and_a_kill_right_after(make_server, make_chat, room):
    """The journal was moved when the deletion comes, and the process is killed at once: the next one sees to it."""
    server = make_server({"PRESENCE_GRACE_MS": "0"})
    alice = make_chat(server, "alice")
    alice.join(room)
    secret = alice.send(room, "moved-secret-text")["messageId"]
    # A later message comes into the journal when the first was moved: a move begins a second after its first message.
    eventually(lambda: alice.send(room, "later")["seq"] > 30, "time passes")
    alice.ask("delete_message", {"roomId": room, "messageId": secret})
    server.kill()
    server.start()
    _is_gone(server, ["moved-secret-text"])
    (stone, *_) = server.get(f"/api/chat/{room}/history?limit=1000").json()["messages"]
    assert stone["deleted"] is True and stone["message"] == ""
