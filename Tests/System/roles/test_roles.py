"""Roles, read-only rooms, slow mode, bans and mutes of a room, over sockets and REST."""

import pytest
import socketio

from role_calls import BAN_SECONDS, KEY, SERVICE, by, code_of, delete, make_room, patch, post_code, put, send_code, soon
from support.deadline import TIMEOUT_SECONDS, eventually

ENVIRONMENT = {"SERVICE_API_KEY": KEY}


def test_a_room_says_what_the_caller_is_in_it(shared, room):
    make_room(shared, room, participants=["mod", "bob"])
    put(shared, f"/api/rooms/{room}/roles/mod", role="moderator")
    for user, role in (("owner", "owner"), ("mod", "moderator"), ("bob", "member")):
        assert shared.get(f"/api/rooms/{room}", headers=by(user)).json()["room"]["role"] == role
    roles = shared.get(f"/api/rooms/{room}/roles", headers=by("bob")).json()
    assert roles["roles"] == [{"userId": "mod", "role": "moderator"}, {"userId": "owner", "role": "owner"}]
    page = shared.get(f"/api/rooms/{room}/roles?limit=1", headers=by("bob")).json()
    assert page["cursor"] == "mod"
    page = shared.get(f"/api/rooms/{room}/roles?limit=1&cursor=mod", headers=by("bob")).json()
    assert [role["userId"] for role in page["roles"]] == ["owner"] and "cursor" not in page
    delete(shared, f"/api/rooms/{room}/roles/mod")
    delete(shared, f"/api/rooms/{room}/roles/mod", status=404)
    put(shared, f"/api/rooms/{room}/roles/mod", role="member")
    assert shared.get(f"/api/rooms/{room}", headers=by("mod")).json()["room"]["role"] == "member"


def test_only_the_owner_and_services_appoint(shared, room):
    make_room(shared, room, participants=["mod", "bob"])
    put(shared, f"/api/rooms/{room}/roles/mod", user="bob", status=403, role="moderator")
    put(shared, f"/api/rooms/{room}/roles/mod", user=None, role="moderator")
    put(shared, f"/api/rooms/{room}/roles/bob", user="mod", status=403, role="moderator")
    put(shared, f"/api/rooms/{room}/roles/owner", status=409, role="moderator")
    for body in ({"role": "owner"}, {"role": "king"}, {}, {"role": 1}):
        answer = shared.request("PUT", f"/api/rooms/{room}/roles/bob", headers=by("owner"), json=body)
        assert answer.status_code == 400, body


def test_a_read_only_room_takes_messages_of_owner_and_moderators(shared, make_chat, room):
    make_room(shared, room, participants=["mod", "bob"])
    put(shared, f"/api/rooms/{room}/roles/mod", role="moderator")
    answer = patch(shared, room, readOnly=True)
    assert answer.json()["room"]["readOnly"] is True
    chats = {user: make_chat(shared, user) for user in ("owner", "mod", "bob")}
    for chat in chats.values():
        chat.join(room)
    assert [send_code(chat, room) for chat in chats.values()] == [None, None, "forbidden"]
    assert [post_code(shared, room, user) for user in chats] == [None, None, "forbidden"]
    assert code_of(chats["bob"].request("typing", {"roomId": room, "isTyping": True})) == "forbidden"
    patch(shared, room, readOnly=False)
    assert send_code(chats["bob"], room) is None


def test_slow_mode_makes_members_wait(shared, make_chat, room):
    make_room(shared, room, participants=["bob"])
    patch(shared, room, slowModeSeconds=3600)
    bob = make_chat(shared, "bob")
    bob.join(room)
    first = bob.send(room, "first", clientMessageId="one")
    refused = bob.request("send_message", {"roomId": room, "message": "second"})
    assert code_of(refused) == "rate_limited" and refused["error"]["retryable"] is True
    assert 3_500_000 < refused["error"]["retryAfterMs"] <= 3_600_000
    again = bob.send(room, "first", clientMessageId="one")
    assert again["duplicate"] is True and again["messageId"] == first["messageId"]
    over_rest = shared.post(f"/api/chat/{room}/messages", headers=by("bob"), json={"message": "second"})
    assert over_rest.status_code == 429 and 3500 < int(over_rest.headers["Retry-After"]) <= 3600
    owner = make_chat(shared, "owner")
    owner.join(room)
    assert send_code(owner, room) is None and send_code(owner, room) is None
    patch(shared, room, slowModeSeconds=0)
    assert send_code(bob, room) is None


def test_a_ban_takes_the_user_out_and_holds(shared, make_chat, room):
    make_room(shared, room, participants=["bob"])
    owner, bob, second = make_chat(shared, "owner"), make_chat(shared, "bob"), make_chat(shared, "bob", framing="type")
    for chat in (owner, bob, second):
        chat.join(room)
    ban = put(shared, f"/api/rooms/{room}/bans/bob", reason="spam").json()
    assert ban["userId"] == "bob" and ban["reason"] == "spam" and ban["by"] == "owner" and "until" not in ban
    for chat in (bob, second):
        error = chat.expect("error")
        assert error["code"] == "banned" and error["roomId"] == room and error["event"] == "join_room"
        assert send_code(chat, room) == "not_joined"
        assert code_of(chat.request("join_room", {"roomId": room})) == "banned"
    assert owner.expect("user_left")["userId"] == "bob"
    assert owner.send(room, "without bob")["success"]
    bob.settle()
    assert not bob.events("new_message")
    assert post_code(shared, room, "bob") == "banned"
    for path in (f"/api/chat/{room}/history", f"/api/chat/{room}/read-marks", f"/api/rooms/{room}", f"/api/rooms/{room}/roles"):
        answer = shared.get(path, headers=by("bob"))
        assert answer.status_code == 403 and answer.json()["code"] == "banned", path
    assert room not in [each["roomId"] for each in shared.get("/api/rooms", headers=by("bob")).json()["rooms"]]
    put(shared, f"/api/rooms/{room}/participants/bob", status=409)
    bans = shared.get(f"/api/rooms/{room}/bans", headers=by("owner")).json()["bans"]
    assert [(each["userId"], each["reason"], each["by"]) for each in bans] == [("bob", "spam", "owner")]
    delete(shared, f"/api/rooms/{room}/bans/bob")
    delete(shared, f"/api/rooms/{room}/bans/bob", status=404)
    bob.join(room)
    assert send_code(bob, room) is None


def test_bans_and_mutes_end_by_themselves(shared, make_chat, room):
    make_room(shared, room, participants=["bob", "cat"])
    bob, cat = make_chat(shared, "bob"), make_chat(shared, "cat")
    cat.join(room)
    until = soon(BAN_SECONDS)
    assert put(shared, f"/api/rooms/{room}/bans/bob", until=until).json()["until"] == until
    put(shared, f"/api/rooms/{room}/mutes/cat", until="2999-01-01T00:00:00Z")
    assert send_code(cat, room) == "muted"
    put(shared, f"/api/rooms/{room}/mutes/cat", until=soon(BAN_SECONDS))
    eventually(lambda: code_of(bob.request("join_room", {"roomId": room})) is None, "the ban is over", every=0.1)
    assert soon(0) >= until
    eventually(lambda: send_code(cat, room) is None, "the mute is over", every=0.1)
    assert shared.get(f"/api/rooms/{room}/bans", headers=by("owner")).json()["bans"] == []


def test_a_mute_lets_read_and_not_send(shared, make_chat, room):
    make_room(shared, room, participants=["bob"])
    owner, bob = make_chat(shared, "owner"), make_chat(shared, "bob")
    for chat in (owner, bob):
        chat.join(room)
    put(shared, f"/api/rooms/{room}/mutes/bob")
    assert send_code(bob, room) == "muted" and post_code(shared, room, "bob") == "muted"
    assert code_of(bob.request("typing", {"roomId": room, "isTyping": True})) == "muted"
    sent = owner.send(room, "read this")
    assert bob.expect("new_message")["message"] == "read this"
    assert bob.request("mark_read", {"roomId": room, "seq": sent["seq"]})["success"]
    assert shared.get(f"/api/chat/{room}/history", headers=by("bob")).status_code == 200
    mutes = shared.get(f"/api/rooms/{room}/mutes", headers=by("owner")).json()["mutes"]
    assert [each["userId"] for each in mutes] == ["bob"]
    delete(shared, f"/api/rooms/{room}/mutes/bob")
    assert send_code(bob, room) is None


def test_moderators_act_on_members_only(shared, room):
    make_room(shared, room, participants=["mod", "other", "bob"])
    for user in ("mod", "other"):
        put(shared, f"/api/rooms/{room}/roles/{user}", role="moderator")
    for kind in ("bans", "mutes"):
        put(shared, f"/api/rooms/{room}/{kind}/bob", user="mod")
        put(shared, f"/api/rooms/{room}/{kind}/other", user="mod", status=403)
        put(shared, f"/api/rooms/{room}/{kind}/owner", user="mod", status=409)
        put(shared, f"/api/rooms/{room}/{kind}/owner", user=None, status=409)
        delete(shared, f"/api/rooms/{room}/{kind}/bob", user="mod")
        put(shared, f"/api/rooms/{room}/{kind}/mod", user="bob", status=403)
        assert shared.get(f"/api/rooms/{room}/{kind}", headers=by("bob")).status_code == 403
        assert shared.get(f"/api/rooms/{room}/{kind}", headers=SERVICE).status_code == 200
    # A ban ends the role.
    put(shared, f"/api/rooms/{room}/bans/mod")
    delete(shared, f"/api/rooms/{room}/bans/mod")
    assert shared.get(f"/api/rooms/{room}", headers=by("mod")).json()["room"]["role"] == "member"


def test_an_owner_that_left_manages_the_room_and_hands_it_over(shared, room):
    make_room(shared, room, private=True, participants=["bob"])
    delete(shared, f"/api/rooms/{room}/participants/owner")
    assert shared.get(f"/api/chat/{room}/history", headers=by("owner")).status_code == 403
    assert shared.get(f"/api/rooms/{room}", headers=by("owner")).json()["room"]["role"] == "owner"
    patch(shared, room, name="still mine")
    patch(shared, room, status=409, owner="stranger")
    patch(shared, room, user="bob", status=403, owner="bob")
    assert patch(shared, room, owner="bob").json()["room"]["owner"] == "bob"
    patch(shared, room, status=403, name="not any more")
    patch(shared, room, user="bob", name="bob's")


def test_rules_of_a_room_are_checked(shared, room):
    make_room(shared, room)
    for body in ({"readOnly": "yes"}, {"slowModeSeconds": -1}, {"slowModeSeconds": 21_601}, {"slowModeSeconds": 1.5}, {"owner": ""},
                 {"owner": {}}, {"retentionDays": -1}, {"retentionDays": 40_000}, {"retentionDays": "7"}, {"slowModeSeconds": None}, {}):  # fmt: skip
        answer = shared.request("PATCH", f"/api/rooms/{room}", headers=by("owner"), json=body)
        assert answer.status_code == 400 and answer.json()["code"] == "bad_request", body
    assert patch(shared, room, retentionDays=30).json()["room"]["retentionDays"] == 30
    assert patch(shared, room, retentionDays=None).json()["room"]["retentionDays"] is None
    shared.post("/api/rooms", headers=by("ann"), json={"type": "direct", "participants": ["zed"]})
    for body in ({"readOnly": True}, {"slowModeSeconds": 5}, {"owner": "zed"}):
        answer = shared.request("PATCH", "/api/rooms/direct:ann:zed", headers=SERVICE, json=body)
        assert answer.status_code == 400, body
    assert shared.request("PUT", "/api/rooms/direct:ann:zed/bans/zed", headers=SERVICE).status_code == 400


@pytest.mark.parametrize(
    "body",
    [b'{"until":0}', b'{"until":"yesterday"}', b'{"until":{}}', b'{"until":"2020-01-01T00:00:00Z"}', b'{"reason":7}',
     b'{"reason":"%s"}' % (b"x" * 257), b'{"reason":"a\\u0000b"}', b"[]", b"{"],
    ids=lambda body: str(body)[:40],
)  # fmt: skip
def test_bad_terms_of_a_ban_are_refused(shared, room, body):
    make_room(shared, room)
    headers = {**by("owner"), "Content-Type": "application/json"}
    answer = shared.request("PUT", f"/api/rooms/{room}/bans/bob", headers=headers, data=body)
    assert answer.status_code == 400 and answer.json()["code"] == "bad_request"
    assert shared.get(f"/api/rooms/{room}/bans", headers=by("owner")).json()["bans"] == []


def test_rooms_that_are_not_there_and_rooms_of_others_answer_alike(shared, room):
    make_room(shared, room, private=True)
    for path in (f"/api/rooms/{room}/bans/bob", "/api/rooms/no-such-room/bans/bob"):
        answer = put(shared, path, user="eve", status=403)
        assert answer.json()["code"] == "forbidden" and "does not exist" in answer.json()["detail"]


def test_a_stock_client_is_put_out_and_told_so(shared, room):
    make_room(shared, room, participants=["bob"])
    with socketio.SimpleClient() as bob:
        bob.connect(shared.url, auth={"userId": "bob"}, transports=["websocket"])
        assert bob.call("join_room", {"roomId": room})["success"]
        put(shared, f"/api/rooms/{room}/bans/bob")
        event = ["", {}]
        while event[0] != "error":
            event = bob.receive(timeout=TIMEOUT_SECONDS)
        assert event[1]["code"] == "banned" and event[1]["roomId"] == room
        assert bob.call("join_room", {"roomId": room})["error"]["code"] == "banned"
        delete(shared, f"/api/rooms/{room}/bans/bob")
        assert bob.call("join_room", {"roomId": room})["success"]
        put(shared, f"/api/rooms/{room}/mutes/bob")
        assert bob.call("send_message", {"roomId": room, "message": "x"})["error"]["code"] == "muted"


def test_standings_outlive_a_restart(make_server, make_chat):
    server = make_server(ENVIRONMENT)
    make_room(server, "kept", participants=["bob", "cat", "mod"])
    put(server, "/api/rooms/kept/bans/bob", reason="spam")
    put(server, "/api/rooms/kept/mutes/cat")
    put(server, "/api/rooms/kept/roles/mod", role="moderator")
    patch(server, "kept", readOnly=True, slowModeSeconds=5)
    server.restart()
    assert post_code(server, "kept", "bob") == "banned" and post_code(server, "kept", "cat") == "muted"
    found = server.get("/api/rooms/kept", headers=by("mod")).json()["room"]
    assert found["role"] == "moderator" and found["readOnly"] is True and found["slowModeSeconds"] == 5


def test_moderators_delete_and_pin_messages_of_others(shared, make_chat, room):
    make_room(shared, room, participants=["mod", "bob"])
    put(shared, f"/api/rooms/{room}/roles/mod", role="moderator")
    chats = {user: make_chat(shared, user) for user in ("mod", "bob", "cat")}
    for chat in chats.values():
        chat.join(room)
    message = chats["bob"].send(room, "hello")["messageId"]
    of_message = {"roomId": room, "messageId": message}
    assert code_of(chats["cat"].request("pin_message", of_message)) == "forbidden"
    assert code_of(chats["mod"].request("pin_message", of_message)) is None
    assert code_of(chats["mod"].request("edit_message", {**of_message, "message": "mine"})) == "forbidden"
    assert code_of(chats["cat"].request("delete_message", of_message)) == "forbidden"
    assert code_of(chats["mod"].request("delete_message", of_message)) is None
    assert chats["cat"].expect("message_deleted")["messageId"] == message


def test_a_muted_user_takes_messages_back_and_changes_nothing_else(shared, make_chat, room):
    make_room(shared, room, participants=["bob"])
    bob = make_chat(shared, "bob")
    bob.join(room)
    message = bob.send(room, "hello")["messageId"]
    of_message = {"roomId": room, "messageId": message}
    put(shared, f"/api/rooms/{room}/mutes/bob")
    assert code_of(bob.request("edit_message", {**of_message, "message": "x"})) == "muted"
    assert code_of(bob.request("react", {**of_message, "emoji": "👍"})) == "muted"
    path = f"/api/chat/{room}/messages/{message}"
    assert shared.request("PATCH", path, headers=by("bob"), json={"message": "x"}).json()["code"] == "muted"
    assert code_of(bob.request("delete_message", of_message)) is None
    put(shared, f"/api/rooms/{room}/bans/bob")
    assert shared.request("DELETE", path, headers=by("bob")).json()["code"] == "banned"
