"""Every event of a conversation, in both raw framings."""

import json

import pytest

from support.chat import Refused


@pytest.fixture(params=["event", "type"])
def framing(request):
    return request.param


@pytest.fixture
def connect(shared, make_chat, framing):
    """Authenticated clients in the framing under test, at the endpoint of that framing."""

    def connect(user_id, username=None):
        path = "/" if framing == "event" else "/ws"
        return make_chat(shared, user_id, username, framing=framing, path=path)

    return connect


@pytest.fixture
def pair(connect, room):
    """Two users in a room, each announced to the other."""
    alice = connect("alice", "Alice")
    alice.join(room)
    bob = connect("bob", "Bob")
    bob.join(room)
    alice.expect("user_joined")
    return alice, bob


def test_authenticate_is_answered_welcomed_and_named(shared, make_chat, framing):
    chat = make_chat(shared, framing=framing, path="/" if framing == "event" else "/ws")
    reply = chat.request("authenticate", {"userId": "alice", "username": "Alice"})
    authenticated = chat.expect("authenticated")
    welcome = chat.expect("welcome")
    assert authenticated["userId"] == "alice" and authenticated["username"] == "Alice"
    assert authenticated["socketId"] == welcome["socketId"]
    assert welcome["userId"] == "alice" and welcome["message"]
    assert reply == {"success": True, **authenticated}


def test_joining_shows_history_users_and_state(connect, room, framing):
    alice = connect("alice", "Alice")
    first = alice.join(room)
    assert first["history"] == []
    assert first["users"] == [{"userId": "alice", "username": "Alice"}]
    assert first["state"] == {"roomId": room, "lastSeq": 0, "members": 1, "online": 1}
    alice.send(room, "one")
    alice.send(room, "two")

    bob = connect("bob", "Bob")
    reply = bob.request("join_room", {"roomId": room})
    history, users = bob.expect("message_history"), bob.expect("room_users")
    if framing == "type":
        assert set(history) == {"messages"} and set(users) == {"users"}
        history, users = history["messages"], users["users"]
    state = bob.expect("room_state")
    assert [(m["seq"], m["message"]) for m in history] == [(1, "one"), (2, "two")]
    assert sorted(user["userId"] for user in users) == ["alice", "bob"]
    marks = [{"userId": "alice", "seq": 2}]
    assert state == {"roomId": room, "lastSeq": 2, "members": 2, "online": 2, "readMarks": marks}
    assert reply == {"success": True, **state, "messages": history, "users": users}
    assert alice.expect("user_joined") == {"roomId": room, "userId": "bob", "username": "Bob"}


def test_a_message_reaches_everybody_in_the_room_with_all_its_fields(pair, room):
    alice, bob = pair
    earlier = alice.send(room, "first")["messageId"]
    bob.expect("new_message"), alice.expect("new_message")
    fields = {
        "messageType": "image",
        "clientMessageId": "c-1",
        "metadata": {"width": 3, "tags": ["a", None]},
        "replyTo": earlier,
    }
    ack = alice.send(room, "héllo \U0001f44b \"quoted\" \\ \n", **fields)
    assert ack["success"] is True and ack["seq"] == 2 and "duplicate" not in ack
    assert len(ack["messageId"]) == 24 and int(ack["messageId"], 16)
    assert isinstance(ack["timestamp"], int)
    expected = {
        "messageId": ack["messageId"],
        "seq": 2,
        "roomId": room,
        "userId": "alice",
        "username": "Alice",
        "message": "héllo \U0001f44b \"quoted\" \\ \n",
        "timestamp": ack["timestamp"],
        **fields,
    }
    assert alice.expect("new_message") == expected
    assert bob.expect("new_message") == expected


def test_a_plain_message_has_the_default_type_and_no_empty_fields(pair, room):
    alice, bob = pair
    alice.send(room, "plain")
    message = bob.expect("new_message")
    assert message["messageType"] == "text"
    assert not {"clientMessageId", "metadata", "replyTo"} & set(message)


def test_leaving_is_announced_at_once_and_ends_the_traffic(pair, room):
    alice, bob = pair
    assert bob.ask("leave_room", {"roomId": room})["success"] is True
    alice.settle()
    assert alice.events("user_left").pop() == {"roomId": room, "userId": "bob", "username": "Bob"}
    alice.send(room, "without bob")
    bob.settle()
    assert bob.events("new_message") == []
    with pytest.raises(Refused) as refusal:
        bob.send(room, "from outside")
    assert refusal.value.code == "not_joined"


def test_typing_and_read_marks_reach_the_others(pair, room):
    alice, bob = pair
    bob.ask("typing", {"roomId": room, "isTyping": True})
    typing = {"roomId": room, "userId": "bob", "username": "Bob", "isTyping": True}
    assert alice.expect("user_typing") == typing
    bob.ask("typing", {"roomId": room, "isTyping": False})
    assert alice.expect("user_typing") == typing | {"isTyping": False}
    seq = alice.send(room, "read me")["seq"]
    bob.ask("mark_read", {"roomId": room, "seq": seq})
    assert alice.expect("message_read") == {"roomId": room, "userId": "bob", "seq": seq}
    bob.settle()
    assert bob.events("user_typing") == [] and bob.events("message_read") == []


def test_ping_gives_the_same_data_back(connect, framing):
    chat = connect("alice")
    data = {"n": 1, "text": "ünï", "list": [1, 2.5, None, True], "deep": {"a": {}}}
    reply = chat.request("ping", data)
    assert reply["success"] is True and {name: reply[name] for name in data} == data
    pong = chat.expect("pong")
    assert {name: pong[name] for name in data} == data
    assert chat.request("ping", {"success": False})["success"] is True


def test_ping_takes_any_value_in_event_frames(shared, make_chat):
    chat = make_chat(shared)
    for value in ["text", 7, 2.5, [1, "a"], True, None]:
        chat.send_text(json.dumps({"event": "ping", "data": value}))
        assert chat.expect("pong") == value


def test_a_display_name_may_be_given_later(connect, room):
    chat = connect("alice")
    assert chat.ask("identify", {"username": "Alice the Second"})["success"] is True
    assert chat.join(room)["users"] == [{"userId": "alice", "username": "Alice the Second"}]


def test_heartbeats_are_acknowledged(connect):
    assert connect("alice").ask("user_activity", {}) == {"success": True}


def test_text_straight_to_users(connect):
    alice, bob, carol = connect("alice", "Alice"), connect("bob"), connect("carol")
    ack = alice.request("send_message", {"recipientIds": ["bob", "carol", "nobody", "bob"], "message": "psst",
                                         "metadata": {"k": "v"}})
    assert ack["status"] == "sent"
    assert ack["recipients"]["total"] == 3
    assert sorted(ack["recipients"]["sent"]) == ["bob", "carol"]
    assert ack["recipients"]["failed"] == ["nobody"]
    for reader in (bob, carol):
        message = reader.expect("message")
        assert message["senderId"] == "alice" and message["message"] == "psst"
        assert message["metadata"] == {"k": "v"} and len(message["messageId"]) == 24
    alice.settle()
    assert alice.events("message") == []


def test_a_message_to_absent_users_says_so(connect):
    ack = connect("alice").request("send_message", {"recipientIds": ["nobody"], "message": "hello?"})
    assert ack["status"] == "error"
    assert ack["recipients"] == {"total": 1, "sent": [], "failed": ["nobody"]}


def test_numeric_ids_mean_their_decimal_text(connect, room):
    alice = connect(7, "Seven")
    assert alice.expect("welcome")["userId"] == "7"
    number = 9_000_000 + int(room.rsplit("-", 1)[1])
    state = alice.ask("join_room", {"roomId": number})
    assert state["roomId"] == str(number)
    alice.send(str(number), "to the text")
    assert alice.expect("new_message")["roomId"] == str(number)
    big = alice.ask("join_room", {"roomId": 2**64 - 1})
    assert big["roomId"] == "18446744073709551615"
