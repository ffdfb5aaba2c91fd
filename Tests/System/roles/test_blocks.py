"""Blocks between users: direct rooms, direct messages and presence, on one instance and on two."""

import itertools

import pytest
import socketio

from role_calls import KEY, SERVICE, by, code_of, delete, post_code, put, send_code
from support.deadline import eventually

ENVIRONMENT = {"SERVICE_API_KEY": KEY, "PRESENCE_GRACE_MS": "200"}
_numbers = itertools.count(1)


@pytest.fixture
def users():
    """Two users of the test's own: one that blocks, one that is blocked."""
    number = next(_numbers)
    return f"ann-{number}", f"bob-{number}"


def test_the_list_of_blocks(pair, users):
    server, (ann, bob) = pair[0], users
    for other in (bob, "zed"):
        put(server, f"/api/users/{ann}/blocks/{other}", user=ann)
        put(server, f"/api/users/{ann}/blocks/{other}", user=ann)
    listed = server.get(f"/api/users/{ann}/blocks", headers=by(ann)).json()
    assert [each["userId"] for each in listed["blocks"]] == [bob, "zed"]
    page = server.get(f"/api/users/{ann}/blocks?limit=1", headers=SERVICE).json()
    assert len(page["blocks"]) == 1 and page["cursor"] == bob
    # Others neither see nor change it.
    assert server.get(f"/api/users/{ann}/blocks", headers=by(bob)).status_code == 403
    put(server, f"/api/users/{ann}/blocks/zoe", user=bob, status=403)
    delete(server, f"/api/users/{ann}/blocks/{bob}", user=bob, status=403)
    put(server, f"/api/users/{ann}/blocks/{ann}", user=ann, status=400)
    delete(server, f"/api/users/{ann}/blocks/zed", user=ann)
    delete(server, f"/api/users/{ann}/blocks/zed", user=ann, status=404)


def test_a_direct_message_of_the_blocked_one_is_not_delivered(pair, users, make_chat):
    ann, bob = (make_chat(server, user) for server, user in zip(pair, users))
    message = {"recipientIds": [users[0]], "message": "hello"}

    def sent():
        return bob.ask("send_message", message)["recipients"]

    eventually(lambda: sent()["sent"] == [users[0]], "ann is reached")
    put(pair[0], f"/api/users/{users[0]}/blocks/{users[1]}", user=users[0])
    ann.settle()
    before = len(ann.events("message"))
    assert sent() == {"total": 1, "sent": [], "failed": [users[0]]}
    # The other direction is as it was.
    reply = ann.ask("send_message", {"recipientIds": [users[1]], "message": "x"})["recipients"]
    assert reply["sent"] == [users[1]]
    bob.expect("message")
    delete(pair[0], f"/api/users/{users[0]}/blocks/{users[1]}", user=users[0])
    assert sent()["sent"] == [users[0]]
    ann.expect("message")
    ann.settle()
    assert len(ann.events("message")) <= before


def test_direct_rooms(pair, users, make_chat):
    ann, bob = (make_chat(server, user) for server, user in zip(pair, users))
    room = f"direct:{users[0]}:{users[1]}"
    put(pair[0], f"/api/users/{users[0]}/blocks/{users[1]}", user=users[0])
    # The blocked one makes no room, in whatever way.
    made = pair[1].post("/api/rooms", headers=by(users[1]), json={"type": "direct", "participants": [users[0]]})
    assert made.status_code == 403
    assert code_of(bob.request("join_room", {"roomId": room})) == "forbidden"
    assert post_code(pair[1], room, users[1]) == "forbidden"
    assert pair[0].get("/api/rooms", headers=by(users[0])).json()["rooms"] == []
    # The other one does; then the blocked one reads and does not send.
    ann.join(room)
    ann.send(room, "read this")
    assert [each["message"] for each in bob.join(room)["history"]] == ["read this"]
    assert send_code(bob, room) == "forbidden" and post_code(pair[1], room, users[1]) == "forbidden"
    assert code_of(bob.request("typing", {"roomId": room, "isTyping": True})) == "forbidden"
    delete(pair[0], f"/api/users/{users[0]}/blocks/{users[1]}", user=users[0])
    assert send_code(bob, room) is None
    put(pair[0], f"/api/users/{users[0]}/blocks/{users[1]}", user=users[0])
    assert send_code(bob, room) == "forbidden"


def _status(chat, user: str) -> tuple[bool, str, object]:
    answer = chat.ask("check_user_status", {"targetUserId": user})
    return answer["online"], answer["status"], answer["lastSeen"]


def test_presence_is_hidden_from_the_blocked_one(pair, users, make_chat):
    ann, bob = (make_chat(server, user) for server, user in zip(pair, users))
    eventually(lambda: _status(bob, users[0])[0], "ann is online")
    bob.ask("subscribe_presence", {"userIds": [users[0]]})
    put(pair[0], f"/api/users/{users[0]}/blocks/{users[1]}", user=users[0])
    assert _status(bob, users[0]) == (False, "offline", None)
    change = bob.expect("user_status_change", lambda change: change["userId"] == users[0])
    assert change["status"] == "offline"
    for path in (f"/online-status?ids={users[0]}", f"/api/presence?ids={users[0]}"):
        answer = pair[1].get(path, headers=by(users[1])).json()
        assert not answer[0]["online"], path
    listed = pair[1].get("/api/online-users", headers=by(users[1])).json()
    assert users[0] not in [each["id"] for each in listed["data"]]
    dan = make_chat(pair[1], f"dan-{users[0]}")

    def difference() -> int:
        # Users of other tests may leave meanwhile, so both are asked each time.
        return dan.ask("get_online_count")["count"] - bob.ask("get_online_count")["count"]

    eventually(lambda: difference() == 1, "ann is not counted")
    # What ann does is not seen, and ann sees bob.
    bob.inbox.clear()
    ann.ask("set_status", {"status": "busy"})
    assert _status(ann, users[1])[0]
    carol = make_chat(pair[0], f"carol-{users[0]}")
    eventually(lambda: _status(carol, users[0])[1] == "busy", "others see it")
    bob.settle()
    assert not [change for change in bob.events("user_status_change") if change["userId"] == users[0]]
    delete(pair[0], f"/api/users/{users[0]}/blocks/{users[1]}", user=users[0])
    assert bob.expect("user_status_change", lambda change: change["userId"] == users[0])["status"] == "busy"
    assert _status(bob, users[0])[1] == "busy"


def test_rooms_do_not_show_the_one_that_blocks(pair, users, make_chat, room):
    put(pair[0], f"/api/users/{users[0]}/blocks/{users[1]}", user=users[0])
    ann, bob = (make_chat(server, user) for server, user in zip(pair, users))
    ann.join(room)
    view = bob.join(room)
    assert users[0] not in [user["userId"] for user in view["users"]]
    assert view["state"]["online"] == 1
    carol = make_chat(pair[1], f"carol-{users[0]}")
    seen = carol.join(room)
    assert users[0] in [user["userId"] for user in seen["users"]]
    ann.ask("leave_room", {"roomId": room})
    carol.expect("user_left", lambda user: user["userId"] == users[0])
    ann.join(room)
    carol.expect("user_joined", lambda user: user["userId"] == users[0])
    # Messages of the room go to everybody.
    ann.send(room, "to all")
    assert bob.expect("new_message")["message"] == "to all"
    for event in ("user_left", "user_joined"):
        assert users[0] not in [user["userId"] for user in bob.events(event)]


def test_a_session_that_comes_later_and_a_stock_client(pair, users, make_chat):
    ann = make_chat(pair[0], users[0])
    put(pair[0], f"/api/users/{users[0]}/blocks/{users[1]}", user=users[0])
    with socketio.SimpleClient() as bob:
        bob.connect(pair[1].url, auth={"userId": users[1]}, transports=["websocket"])
        assert bob.call("check_user_status", {"targetUserId": users[0]})["online"] is False
        snapshot = bob.call("subscribe_presence", {"userIds": [users[0]]})
        assert snapshot["users"][0]["status"] == "offline"
        sent = bob.call("send_message", {"recipientIds": [users[0]], "message": "x"})
        assert sent["recipients"]["failed"] == [users[0]]
    ann.settle()
    assert not ann.events("message")
