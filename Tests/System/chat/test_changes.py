"""Edits, deletions, reactions, pins, replies and mentions, as clients of every framing see them."""

import json
from urllib.parse import quote

import pytest
from support.chat import Refused
from support.deadline import eventually


@pytest.fixture(params=["event", "type"])
def framing(request):
    return request.param


@pytest.fixture
def pair(shared, make_chat, room, framing):
    alice = make_chat(shared, "alice", "Alice", framing=framing)
    bob = make_chat(shared, "bob", "Bob")
    alice.join(room)
    bob.join(room)
    return alice, bob


def refused(chat, event, data):
    with pytest.raises(Refused) as refusal:
        chat.ask(event, data)
    return refusal.value.code


def test_an_edit_reaches_everybody_and_history(shared, pair, room):
    alice, bob = pair
    sent = alice.send(room, "helo", metadata={"a": 1})
    ack = alice.ask("edit_message", {"roomId": room, "messageId": sent["messageId"], "message": "hello <@bob>"})
    assert ack == {"success": True, "messageId": sent["messageId"], "seq": 2, "timestamp": ack["timestamp"]}
    expected = {
        "roomId": room, "messageId": sent["messageId"], "seq": 2, "userId": "alice", "message": "hello <@bob>",
        "metadata": {"a": 1}, "mentions": ["bob"], "editedAt": ack["timestamp"],
    }  # fmt: skip
    assert bob.expect("message_edited") == expected
    assert alice.expect("message_edited") == expected
    (message,) = shared.get(f"/api/chat/{room}/history").json()["messages"]
    assert (message["seq"], message["message"], message["changeSeq"]) == (1, "hello <@bob>", 2)
    assert message["editedAt"] == ack["timestamp"]
    assert bob.join(room)["state"]["lastSeq"] == 2


def test_a_deletion_leaves_a_stone(shared, pair, room):
    alice, bob = pair
    sent = alice.send(room, "secret", metadata={"secret": True}, clientMessageId="c-1")
    where = {"roomId": room, "messageId": sent["messageId"]}
    bob.ask("react", where | {"emoji": "👍"})
    ack = alice.ask("delete_message", where)
    assert bob.expect("message_deleted") == {
        "roomId": room, "messageId": sent["messageId"], "seq": 3, "userId": "alice", "timestamp": ack["timestamp"],
    }  # fmt: skip
    (stone,) = bob.join(room)["history"]
    assert stone == {
        "messageId": sent["messageId"], "seq": 1, "roomId": room, "userId": "alice", "username": "Alice", "message": "",
        "messageType": "text", "timestamp": sent["timestamp"], "deleted": True, "changeSeq": 3,
    }  # fmt: skip
    assert refused(alice, "edit_message", where | {"message": "again"}) == "conflict"
    assert refused(bob, "react", where | {"emoji": "👍"}) == "conflict"
    again = alice.ask("delete_message", where)
    assert again["unchanged"] is True and "seq" not in again
    assert alice.send(room, "secret", metadata={"secret": True}, clientMessageId="c-1")["duplicate"] is True
    assert alice.send(room, "next")["seq"] == 4, "what changed nothing took no number"


def test_reactions_are_counted_once_a_user(shared, pair, room):
    alice, bob = pair
    where = {"roomId": room, "messageId": alice.send(room, "hello")["messageId"]}
    first = alice.ask("react", where | {"emoji": "👍"})
    assert (first["seq"], first["count"]) == (2, 1)
    assert bob.expect("message_reaction") == {
        "roomId": room, "messageId": where["messageId"], "seq": 2, "userId": "alice", "username": "Alice", "emoji": "👍",
        "removed": False, "count": 1,
    }  # fmt: skip
    again = alice.ask("react", where | {"emoji": "👍"})
    assert again["unchanged"] is True and again["count"] == 1 and "seq" not in again
    assert bob.ask("react", where | {"emoji": "👍"})["count"] == 2
    assert bob.ask("react", where | {"emoji": ":party_parrot:"})["count"] == 1
    removed = alice.ask("react", where | {"emoji": "👍", "remove": True})
    assert (removed["seq"], removed["count"]) == (5, 1)
    assert alice.ask("react", where | {"emoji": "👍", "remove": True})["unchanged"] is True
    message = shared.get(f"/api/chat/{room}/messages/{where['messageId']}").json()["message"]
    assert message["reactions"] == [
        {"emoji": "👍", "count": 1, "userIds": ["bob"]},
        {"emoji": ":party_parrot:", "count": 1, "userIds": ["bob"]},
    ]


def test_emojis_that_are_none_and_one_too_many(pair, room):
    alice, _ = pair
    where = {"roomId": room, "messageId": alice.send(room, "hello")["messageId"]}
    bad = ["", " ", "ab", "👍👍", "e" + "\u0301" * 1000, "👍" * 1000, "::", ":a b:", "\u0000", ":" + "a" * 63 + ":", 7, {}, None]
    for emoji in bad:
        assert refused(alice, "react", where | {"emoji": emoji}) == "bad_request", emoji
        alice.settle()
    for number in range(50):
        assert alice.ask("react", where | {"emoji": f":e{number}:"})["count"] == 1
    assert refused(alice, "react", where | {"emoji": ":one_more:"}) == "conflict"
    assert alice.ask("react", where | {"emoji": "👩‍👩‍👧‍👦", "remove": True})["unchanged"] is True


def test_who_may_change_what(shared, make_chat, room):
    owner = {"X-User-Id": "owner"}
    assert shared.post("/api/rooms", headers=owner, json={"roomId": room}).status_code == 201
    alice, bob, boss = (make_chat(shared, name) for name in ("alice", "bob", "owner"))
    for chat in (alice, bob, boss):
        chat.join(room)
    where = {"roomId": room, "messageId": alice.send(room, "hello")["messageId"]}
    assert refused(bob, "edit_message", where | {"message": "x"}) == "forbidden"
    assert refused(boss, "edit_message", where | {"message": "x"}) == "forbidden"
    assert refused(bob, "delete_message", where) == "forbidden"
    assert refused(alice, "pin_message", where) == "forbidden"
    assert boss.ask("pin_message", where)["seq"] == 2
    pinned = bob.expect("message_pinned")
    assert (pinned["pinned"], pinned["userId"], pinned["seq"]) == (True, "owner", 2)
    assert boss.ask("pin_message", where)["unchanged"] is True
    assert boss.ask("pin_message", where | {"remove": True})["seq"] == 3
    assert boss.ask("delete_message", where)["seq"] == 4
    assert bob.expect("message_deleted")["userId"] == "owner"


def test_messages_of_other_rooms_and_rooms_one_has_left(shared, pair, room, make_chat):
    alice, bob = pair
    other = f"{room}-other"
    bob.join(other)
    elsewhere = bob.send(other, "hello")["messageId"]
    here = bob.send(room, "hello")["messageId"]
    for event, more in (("edit_message", {"message": "x"}), ("delete_message", {}), ("react", {"emoji": "👍"})):
        assert refused(bob, event, {"roomId": room, "messageId": elsewhere} | more) == "not_found"
        assert refused(bob, event, {"roomId": room, "messageId": "0" * 24} | more) == "not_found"
        assert refused(bob, event, {"roomId": room, "messageId": "nothing"} | more) == "bad_request"
        assert refused(bob, event, {"roomId": room, "messageId": {"$gt": ""}} | more) == "bad_request"
        bob.settle()
    bob.ask("leave_room", {"roomId": room})
    assert refused(bob, "edit_message", {"roomId": room, "messageId": here, "message": "x"}) == "not_joined"
    assert refused(bob, "react", {"roomId": room, "messageId": here, "emoji": "👍"}) == "not_joined"


def test_replies_and_mentions(shared, pair, room):
    alice, bob = pair
    question = alice.send(room, "lunch?")["messageId"]
    answer = bob.send(room, "yes, <@alice> and <@carol> <@alice>", replyTo=question.upper(), mentions=["dave", "alice"])
    live = alice.expect("new_message", lambda message: message["seq"] == answer["seq"])
    assert (live["replyTo"], live["mentions"]) == (question, ["dave", "alice", "carol"])
    assert refused(bob, "send_message", {"roomId": room, "message": "x", "replyTo": "0" * 24}) == "bad_request"
    assert refused(bob, "send_message", {"roomId": room, "message": "x", "replyTo": "m"}) == "bad_request"
    many = [f"u{n}" for n in range(51)]
    assert refused(bob, "send_message", {"roomId": room, "message": "x", "mentions": many}) == "bad_request"
    message = shared.get(f"/api/chat/{room}/messages/{question}").json()["message"]
    assert (message["replyCount"], message["lastReplySeq"]) == (1, 2)
    replies = shared.get(f"/api/chat/{room}/messages/{question}/replies").json()
    assert [m["seq"] for m in replies["messages"]] == [2] and replies["hasMore"] is False


def test_mentions_are_of_people_who_may_read_the_room(shared, make_chat, room):
    owner = {"X-User-Id": "alice"}
    body = {"roomId": room, "private": True, "participants": ["bob"]}
    assert shared.post("/api/rooms", headers=owner, json=body).status_code == 201
    alice = make_chat(shared, "alice")
    alice.join(room)
    sent = alice.send(room, "<@bob> <@stranger>", mentions=["other", "alice"])
    message = shared.get(f"/api/chat/{room}/messages/{sent['messageId']}", headers=owner).json()["message"]
    assert message["mentions"] == ["alice", "bob"]


def test_a_resume_adds_up_without_a_gap(shared, make_chat, pair, room):
    alice, bob = pair
    ids = [alice.send(room, f"m{n}")["messageId"] for n in range(3)]
    bob.settle()
    alice.ask("edit_message", {"roomId": room, "messageId": ids[0], "message": "edited"})
    alice.ask("delete_message", {"roomId": room, "messageId": ids[2]})
    alice.ask("react", {"roomId": room, "messageId": ids[0], "emoji": "👍"})
    alice.send(room, "m6")
    reply = bob.ask("join_room", {"roomId": room, "since": 3})
    changes = bob.expect("message_changes")
    assert [m["seq"] for m in reply["messages"]] == [7] and reply["lastSeq"] == 7
    assert [(m["seq"], m["message"], m["changeSeq"]) for m in changes["messages"]] == [(3, "", 5), (1, "edited", 6)]
    assert changes["lastSeq"] == 7 and changes["roomId"] == room and reply["changes"] == changes["messages"]
    order = [name for name, _ in bob.inbox if name in ("message_history", "message_changes")]
    assert order == ["message_history"], "the changes come behind the history"
    page = shared.get(f"/api/chat/{room}/changes?after=5&limit=1").json()
    assert [m["seq"] for m in page["messages"]] == [1] and page["hasMore"] is False and page["lastSeq"] == 7
    first = shared.get(f"/api/chat/{room}/changes?limit=1").json()
    assert [m["seq"] for m in first["messages"]] == [3] and first["hasMore"] is True and first["lastSeq"] == 5
    assert [m["seq"] for m in shared.get(f"/api/chat/{room}/history?limit=2").json()["messages"]] == [3, 7]


def test_too_much_changed_asks_for_a_resync(make_server, make_chat, room):
    server = make_server({"RATE_LIMIT_MESSAGES": "0"})
    alice = make_chat(server, "alice")
    alice.join(room)
    ids = [alice.emit_with_id("send_message", {"roomId": room, "message": f"{n}"}) for n in range(1001)]
    messages = [alice.reply(id)["messageId"] for id in ids]
    asked = [alice.emit_with_id("react", {"roomId": room, "messageId": id, "emoji": "👍"}) for id in messages]
    assert [alice.reply(id)["count"] for id in asked] == [1] * 1001
    bob = make_chat(server, "bob")
    bob.join(room, since=1002)
    assert len(bob.expect("message_changes")["messages"]) == 1000
    bob.join(room, since=1001)
    assert bob.expect("resync_required") == {"roomId": room, "lastSeq": 2002}


def test_changes_over_rest(shared, make_chat, room):
    alice, bob = {"X-User-Id": "alice"}, {"X-User-Id": "bob"}
    chat = make_chat(shared, "carol")
    chat.join(room)
    id = shared.post(f"/api/chat/{room}/messages", headers=alice, json={"message": "helo"}).json()["messageId"]
    path = f"/api/chat/{room}/messages/{id}"
    keyed = alice | {"Idempotency-Key": "e-1"}
    first = shared.request("PATCH", path, headers=keyed, json={"message": "hello"})
    assert (first.status_code, first.json()["seq"]) == (200, 2)
    assert shared.request("PATCH", path, headers=keyed, json={"message": "hello"}).json() == first.json() | {"duplicate": True}
    assert shared.request("PATCH", path, headers=keyed, json={"message": "other"}).status_code == 409
    assert shared.request("PATCH", path, headers=bob, json={"message": "x"}).status_code == 403
    assert shared.request("PATCH", path, headers=alice, json={}).status_code == 400
    thumb = f"{path}/reactions/{quote('👍')}"
    assert shared.request("PUT", thumb, headers=bob).json()["count"] == 1
    assert shared.request("PUT", thumb, headers=bob).json()["unchanged"] is True
    assert chat.expect("message_reaction")["emoji"] == "👍"
    assert shared.request("DELETE", thumb, headers=bob).json()["count"] == 0
    assert shared.request("PUT", f"{path}/reactions/ab", headers=bob).status_code == 400
    assert shared.request("PUT", f"{path}/pin", headers=alice).status_code == 403
    assert shared.request("DELETE", path, headers=bob).status_code == 403
    assert shared.request("DELETE", path, headers=alice).status_code == 200
    assert chat.expect("message_deleted")["messageId"] == id
    assert shared.get(path).json()["message"]["deleted"] is True
    assert shared.request("DELETE", f"/api/chat/{room}/messages/{'0' * 24}", headers=alice).status_code == 404
    assert shared.get(f"/api/chat/{room}/messages/{'0' * 24}").status_code == 404
    assert shared.get(f"/api/chat/{room}/messages/x").status_code == 400


def test_a_service_deletes_and_pins(make_server, make_chat, room):
    server = make_server({"SERVICE_API_KEY": "k" * 32})
    service = {"X-Service-Key": "k" * 32}
    alice = make_chat(server, "alice")
    alice.join(room)
    id = alice.send(room, "hello")["messageId"]
    assert server.request("PUT", f"/api/chat/{room}/messages/{id}/pin", headers=service).json()["seq"] == 2
    assert alice.expect("message_pinned")["userId"] == "internal"
    assert server.request("DELETE", f"/api/chat/{room}/messages/{id}", headers=service).json()["seq"] == 3
    assert alice.expect("message_deleted")["seq"] == 3


def test_the_edit_window_bounds_authors(make_server, make_chat, room):
    server = make_server({"EDIT_WINDOW_SECONDS": "1"})
    alice = make_chat(server, "alice")
    alice.join(room)
    where = {"roomId": room, "messageId": alice.send(room, "hello")["messageId"]}

    def is_too_late():
        try:
            alice.ask("edit_message", where | {"message": "x"})
            return False
        except Refused as refusal:
            return refusal.code == "forbidden"

    eventually(is_too_late, "the window closes")
    assert refused(alice, "delete_message", where) == "forbidden"
    assert alice.ask("react", where | {"emoji": "👍"})["count"] == 1, "reactions have no window"


def test_commands_keep_their_order(shared, make_chat, room):
    alice = make_chat(shared, "alice")
    alice.join(room)
    id = alice.send(room, "0")["messageId"]
    asked = []
    for number in range(20):
        asked.append(alice.emit_with_id("edit_message", {"roomId": room, "messageId": id, "message": f"{number}"}))
        asked.append(alice.emit_with_id("send_message", {"roomId": room, "message": f"{number}"}))
    assert [alice.reply(each)["seq"] for each in asked] == list(range(2, 42))


def test_a_killed_server_has_every_acknowledged_change(make_server, make_chat, room):
    server = make_server({"PRESENCE_GRACE_MS": "0"})
    alice = make_chat(server, "alice")
    alice.join(room)
    ids = [alice.send(room, f"m{n}")["messageId"] for n in range(5)]
    alice.ask("edit_message", {"roomId": room, "messageId": ids[0], "message": "edited"})
    alice.ask("delete_message", {"roomId": room, "messageId": ids[1]})
    alice.ask("react", {"roomId": room, "messageId": ids[2], "emoji": "👍"})
    before = server.get(f"/api/chat/{room}/history").json()
    server.kill()
    server.start()
    assert server.get(f"/api/chat/{room}/history").json() == before
    assert json.dumps(before).count("m1") == 0
