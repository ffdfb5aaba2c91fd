"""Erasure of users and rooms with the embedded store."""

import pytest
from support.deadline import eventually
from support.privacy import ENVIRONMENT, SERVICE, erase_room, erase_user, is_in_files, wait_for_erasure, wait_until_gone

ANN = "qquser"
SECRET = "qqsecret"
DIRECT = f"direct:bob:{ANN}"


def _talk(server, make_chat, count: int = 3) -> None:
    """The user leaves traces of every kind."""
    ann, bob = make_chat(server, ANN, "Qqname"), make_chat(server, "bob")
    for chat in (ann, bob):
        chat.join("r")
        chat.join(DIRECT)
    for number in range(count):
        ann.send("r", f"{SECRET} {number}", clientMessageId=f"qqclient-{number}", metadata={"name": "Qqname"})
        ann.send(DIRECT, f"{SECRET} direct {number}")
    bob.send("r", f"hello <@{ANN}>")
    bob.send(DIRECT, "a private answer")
    ann.ask("mark_read", {"roomId": "r", "seq": count})
    profile = {"name": "Qqname", "email": "qqmail@example.org"}
    assert server.request("PUT", f"/api/users/{ANN}/profile", headers=SERVICE, json=profile).status_code == 200
    assert server.request("PUT", f"/api/users/{ANN}/friends/bob", headers=SERVICE).status_code == 200
    ann.close()


def _history(server, room: str) -> list[dict]:
    return server.get(f"/api/chat/{room}/history?limit=1000", headers=SERVICE).json()["messages"]


@pytest.mark.parametrize("messages", ["erase", "anonymize"])
def test_nothing_of_an_erased_user_is_found(make_server, make_chat, messages):
    server = make_server(ENVIRONMENT)
    _talk(server, make_chat)
    assert all(is_in_files(server, text) for text in (ANN, SECRET))
    job = erase_user(server, ANN, messages)
    assert job["state"] == "running" and job["success"]
    wait_for_erasure(server, f"users/{ANN}")
    found = [text for text in ("Qqname", "qqmail", "qqclient") if is_in_files(server, text)]
    assert found == []
    wait_until_gone(server, ANN)
    assert is_in_files(server, SECRET) == (messages == "anonymize")
    history = _history(server, "r")
    assert [message["seq"] for message in history] == [1, 2, 3, 4], "the numbers stay"
    by_others = [message for message in history if message["userId"] == "bob"]
    neutral = {message["userId"] for message in history} - {"bob"}
    assert len(neutral) == 1 and by_others[0]["message"] == f"hello <@{neutral.pop()}>"
    for number, message in enumerate(history[:3]):
        assert message["username"] == "Deleted user" and "metadata" not in message
        if messages == "erase":
            assert message["message"] == "" and message["deleted"] is True
        else:
            assert message["message"] == f"{SECRET} {number}" and "deleted" not in message
    # The other user keeps the direct room, under a neutral name.
    rooms = server.get("/api/rooms", headers={"X-User-Id": "bob"}).json()["rooms"]
    direct = next(room["roomId"] for room in rooms if room["type"] == "direct")
    assert _history(server, direct)[-1]["message"] == "a private answer"
    # Again, with nothing left to do.
    erase_user(server, ANN, messages)
    wait_for_erasure(server, f"users/{ANN}")


def test_a_page_of_erased_messages_is_sent_again(make_server, make_chat):
    """Erasing takes no number, so that the room's last one does not tell it."""
    server = make_server(ENVIRONMENT)
    _talk(server, make_chat)
    before = server.get("/api/chat/r/history", headers=SERVICE)
    unchanged = SERVICE | {"If-None-Match": before.headers["ETag"]}
    assert server.get("/api/chat/r/history", headers=unchanged).status_code == 304
    erase_user(server, ANN, "erase")
    wait_for_erasure(server, f"users/{ANN}")
    after = server.get("/api/chat/r/history", headers=unchanged)
    assert after.status_code == 200 and after.json()["lastSeq"] == before.json()["lastSeq"]
    assert SECRET in before.text and SECRET not in after.text


def test_members_and_sessions_hear_of_it(make_server, make_chat):
    server = make_server(ENVIRONMENT)
    ann, bob = make_chat(server, ANN), make_chat(server, "bob")
    for chat in (ann, bob):
        chat.join("r")
    ann.send("r", SECRET)
    bob.expect("new_message")
    erase_user(server, ANN)
    ann.expect_close(4401)
    assert bob.expect("resync_required")["roomId"] == "r"
    history = bob.join("r")["history"]
    assert [message["message"] for message in history] == [""], "no text is left in memory"
    wait_for_erasure(server, f"users/{ANN}")
    assert bob.send("r", "life goes on")["seq"] == 2


def test_an_erasure_goes_on_after_kills(make_server, make_chat):
    """The process dies again and again while it erases."""
    server = make_server(ENVIRONMENT)
    _talk(server, make_chat, count=300)
    erase_user(server, ANN)
    stages = set()
    for _ in range(12):
        answer = server.get(f"/internal/users/{ANN}", headers=SERVICE)
        if answer.status_code == 200:
            break
        stages.add(answer.json()["stage"])
        server.kill()
        server.start()
    assert stages, "it was killed in the middle"
    wait_for_erasure(server, f"users/{ANN}")
    wait_until_gone(server, ANN, SECRET, "Qqname", "qqmail", "qqclient")
    assert len(_history(server, "r")) == 301


def test_an_erased_room_keeps_its_number(make_server, make_chat):
    server = make_server(ENVIRONMENT)
    headers = {"X-User-Id": "bob"}
    server.post("/api/rooms", headers=headers, json={"roomId": "r", "name": "Qqname"})
    bob = make_chat(server, "bob")
    bob.join("r")
    for number in range(20):
        bob.send("r", f"{SECRET} {number}")
    erase_room(server, "r")
    wait_for_erasure(server, "rooms/r")
    assert [text for text in (SECRET, "Qqname") if is_in_files(server, text)] == []
    assert server.get("/api/chat/r/history", headers=headers).status_code == 403
    assert bob.request("send_message", {"roomId": "r", "message": "x"})["success"] is False
    assert bob.join("r")["history"] == []
    assert bob.send("r", "a new beginning")["seq"] == 21


def test_only_services_erase(make_server):
    server = make_server(ENVIRONMENT)
    for method, path in (
        ("DELETE", "/internal/users/ann?messages=erase"),
        ("GET", "/internal/users/ann"),
        ("GET", "/internal/users/ann/export"),
        ("DELETE", "/internal/rooms/r?erase=true"),
        ("GET", "/internal/rooms/r"),
        ("GET", "/internal/rooms/r/export"),
    ):
        for headers in ({}, {"X-User-Id": "ann"}, {"X-Service-Key": "another key that is wrong"}):
            assert server.request(method, path, headers=headers).status_code == 401, (method, path)


def test_what_is_to_become_of_messages_has_to_be_said(make_server):
    server = make_server(ENVIRONMENT)
    for path in (
        "users/ann",
        "users/ann?messages=",
        "users/ann?messages=burn",
        "users/a%00b?messages=erase",
        "rooms/r",
        "rooms/r?erase=false",
        "rooms/r?erase=1",
    ):
        answer = server.request("DELETE", f"/internal/{path}", headers=SERVICE)
        assert answer.status_code == 400 and answer.json()["code"] == "bad_request", path
    assert server.get("/internal/users/ann", headers=SERVICE).json()["state"] == "none"


def test_an_unknown_user_is_erased_too(make_server):
    """A caller that repeats its call gets no error."""
    server = make_server(ENVIRONMENT)
    first, second = erase_user(server, "ghost"), erase_user(server, "ghost", "anonymize")
    assert first["erasureId"] == second["erasureId"], "one erasure at a time, as it was asked for first"
    wait_for_erasure(server, "users/ghost")
    erase_room(server, "nowhere")
    wait_for_erasure(server, "rooms/nowhere")


def test_messages_are_sent_meanwhile(make_server, make_chat):
    server = make_server(ENVIRONMENT)
    _talk(server, make_chat, count=500)
    carol = make_chat(server, "carol")
    carol.join("busy")
    erase_user(server, ANN)
    sent = 0

    def is_over() -> bool:
        nonlocal sent
        sent += 1
        assert carol.send("busy", f"message {sent}")["seq"] == sent
        return server.get(f"/internal/users/{ANN}", headers=SERVICE).status_code == 200

    eventually(is_over, "the erasure is over", timeout=120)
    assert sent > 5
