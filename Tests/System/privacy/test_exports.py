"""Exports of users and rooms."""

from support.files import png, uploaded
from support.privacy import ENVIRONMENT, SERVICE, export


def test_a_user_is_exported(make_server, make_chat):
    server = make_server(ENVIRONMENT)
    ann, bob = make_chat(server, "ann", "Ann"), make_chat(server, "bob")
    for chat in (ann, bob):
        chat.join("r")
    for number in range(450):
        ann.send("r", f"message {number}")
    bob.send("r", "of another user")
    server.request("PUT", "/api/users/ann/profile", headers=SERVICE, json={"email": "ann@example.org"})
    server.request("PUT", "/api/users/ann/friends/bob", headers=SERVICE)
    lines = list(export(server, "users/ann"))
    assert lines[0]["type"] == "user" and lines[0]["email"] == "ann@example.org"
    assert [line["userId"] for line in lines if line["type"] == "friend"] == ["bob"]
    assert len([line for line in lines if line["type"] == "session"]) == 1
    rooms = [line for line in lines if line["type"] == "room"]
    assert [line["roomId"] for line in rooms] == ["r"] and 0 <= rooms[0]["lastReadSeq"] <= 450
    messages = [line["message"] for line in lines if line["type"] == "message"]
    assert [message["message"] for message in messages] == [f"message {number}" for number in range(450)]
    assert {message["userId"] for message in messages} == {"ann"}


def test_a_room_is_exported(make_server, make_chat):
    server = make_server(ENVIRONMENT)
    server.post("/api/rooms", headers={"X-User-Id": "ann"}, json={"roomId": "r", "name": "Room", "participants": ["bob"]})
    ann = make_chat(server, "ann")
    ann.join("r")
    for number in range(1200):
        ann.send("r", f"message {number}")
    lines = list(export(server, "rooms/r"))
    assert lines[0]["type"] == "room" and lines[0]["name"] == "Room" and lines[0]["owner"] == "ann"
    assert [line["userId"] for line in lines if line["type"] == "participant"] == ["ann", "bob"]
    messages = [line["message"] for line in lines if line["type"] == "message"]
    assert [message["seq"] for message in messages] == list(range(1, 1201))


def test_rights_reports_changes_and_files_are_exported(make_server, make_chat):
    """Of both subjects: what names the user `ann`, and what the room `r` has."""
    server = make_server(ENVIRONMENT)
    as_bob = {"X-User-Id": "bob"}
    ann, bob = make_chat(server, "ann"), make_chat(server, "bob")
    server.post("/api/rooms", headers=as_bob, json={"roomId": "r", "participants": ["ann"]})
    for chat in (ann, bob):
        chat.join("r")
    said, other = bob.send("r", "one")["messageId"], ann.send("r", "two")["messageId"]
    ann.ask("react", {"roomId": "r", "messageId": said, "emoji": "👍"})
    ann.ask("react", {"roomId": "r", "messageId": said, "emoji": "👍", "remove": True})
    ann.ask("edit_message", {"roomId": "r", "messageId": other, "message": "three"})
    bob.ask("react", {"roomId": "r", "messageId": other, "emoji": "🎉"})
    flag = server.post(f"/api/chat/r/messages/{said}/flags", headers={"X-User-Id": "ann"}, json={"reason": "rude"})
    assert flag.status_code == 200
    assert server.request("PUT", "/api/users/ann/blocks/cy", headers={"X-User-Id": "ann"}).ok
    file = uploaded(server, "r", b"content", user="ann")
    image = uploaded(server, "r", png(7, 5), "a.png", user="ann")
    assert server.request("PUT", "/api/rooms/r/mutes/ann", headers=as_bob, json={"reason": "loud"}).ok
    assert server.request("PUT", "/internal/bans/ann", headers=SERVICE, json={"reason": "spam"}).ok

    def chosen(lines: list[dict], kind: str, *names: str) -> list[tuple]:
        return [tuple(line.get(name) for name in names) for line in lines if line["type"] == kind]

    user, whole = list(export(server, "users/ann")), list(export(server, "rooms/r"))
    assert chosen(user, "block", "userId") == [("cy",)]
    assert chosen(user, "ban", "reason") == [("spam",)]
    for lines in (user, whole):
        assert chosen(lines, "standing", "kind", "by", "reason") == [("mute", "bob", "loud")]
        assert chosen(lines, "flag", "roomId", "messageId", "userId", "reason") == [("r", said, "ann", "rude")]
        described = {line["fileId"]: line for line in lines if line["type"] == "file"}
        assert described.keys() == {file["fileId"], image["fileId"]}
        for each in (file, image):
            line = described[each["fileId"]]
            assert (line["roomId"], line["userId"]) == ("r", "ann")
            answer = {name: value for name, value in each.items() if name not in ("success", "url")}
            assert line == line | answer
        assert described[image["fileId"]]["width"] == 7
    by_ann = [
        (said, "ann", 3, "reaction", "👍"), (said, "ann", 4, "reaction removed", "👍"), (other, "ann", 5, "edited", None),
    ]  # fmt: skip
    names = ("messageId", "userId", "seq", "change", "emoji")
    assert chosen(user, "change", *names) == by_ann
    assert chosen(whole, "change", *names) == [*by_ann, (other, "bob", 6, "reaction", "🎉")]
    assert "three" not in str([line for line in user if line["type"] == "change"]), "texts are in messages alone"


def test_unknown_subjects(make_server):
    server = make_server(ENVIRONMENT)
    assert list(export(server, "users/ghost")) == [{"type": "user", "userId": "ghost"}]
    answer = server.get("/internal/rooms/nowhere/export", headers=SERVICE)
    assert answer.status_code == 404 and answer.json()["code"] == "not_found"


def test_cursors_are_input(make_server):
    server = make_server(ENVIRONMENT)
    for path in ("users/ann", "rooms/r"):
        for cursor in ("", "x", "\0", "m" * 10_000, "é" * 300):
            answer = server.get(f"/internal/{path}/export", headers=SERVICE, params={"cursor": cursor})
            assert answer.status_code == 400, (path, cursor)
    for cursor in ("mx", "m-1", "m99999999999999999999", "r\u202e", "mm-9223372036854775808", "mcx"):
        answer = server.get("/internal/users/ann/export", headers=SERVICE, params={"cursor": cursor})
        assert answer.status_code == 200, cursor
    for cursor in ("mx", "m-1", "m99999999999999999999"):
        assert server.get("/internal/rooms/r/export", headers=SERVICE, params={"cursor": cursor}).status_code == 400
