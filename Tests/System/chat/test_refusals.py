"""Each fault of a frame or a command has its own code, and the connection stays open."""

import json

import pytest

from support.chat import Chat
from support.deadline import TIMEOUT_SECONDS

MAX_TEXT = 16_384
MAX_ID = 128


@pytest.fixture
def alice(shared, make_chat, room) -> Chat:
    alice = make_chat(shared, "alice")
    alice.join(room)
    return alice


def test_commands_before_authenticate(shared, make_chat, room):
    chat = make_chat(shared)
    for event, data in [
        ("join_room", {"roomId": room}),
        ("leave_room", {"roomId": room}),
        ("send_message", {"roomId": room, "message": "x"}),
        ("send_message", {"recipientIds": ["bob"], "message": "x"}),
        ("typing", {"roomId": room, "isTyping": True}),
        ("mark_read", {"roomId": room, "seq": 1}),
        ("identify", {"username": "x"}),
        ("user_activity", {}),
    ]:
        assert chat.request(event, data)["error"]["code"] == "unauthenticated", event
        chat.emit(event, data)
        assert chat.expect_error("unauthenticated")["event"] == event
    chat.emit("ping", {"still": "here"})
    assert chat.expect("pong") == {"still": "here"}


def test_commands_for_a_room_not_joined(alice):
    for event, data in [
        ("leave_room", {}),
        ("send_message", {"message": "x"}),
        ("typing", {"isTyping": True}),
        ("mark_read", {"seq": 1}),
    ]:
        reply = alice.request(event, {"roomId": "elsewhere"} | data)
        assert reply["success"] is False and reply["error"]["code"] == "not_joined", event
        assert reply["error"]["retryable"] is False and reply["error"]["message"]
    assert alice.events("error") == [], "a request with an id gets no error event beside its answer"


@pytest.mark.parametrize(
    "text",
    ["", "hello", "{", "[]", "7", "null", '"text"', "{}", '{"data":{}}', '{"event":"ping","type":"ping"}', '{"event":7}',
     '{"event":null}', '{"event":["ping"]}', '{"event":"ping"}x', "{'event':'ping'}", '{"event":"ping","id":{}}',
     '{"event":"ping","id":true}', '{"event":"ping","data":"\\ud80"}', '{"event":"ping","id":"' + "x" * 129 + '"}',
     '{"event":"ping","data":' + "[" * 33 + "]" * 33 + "}"],
)  # fmt: skip
def test_texts_that_are_no_frame(alice, text):
    alice.send_text(text)
    error = alice.expect_error("bad_frame")
    assert error["retryable"] is False and "event" not in error
    alice.settle()


def test_depth_is_bounded_and_a_thousand_levels_cost_nothing(alice):
    def nested(levels):
        return '{"event":"ping","data":' + "[" * levels + "]" * levels + "}"

    alice.send_text(nested(31))
    assert alice.expect("pong")
    for levels in (32, 1000, 60_000):
        alice.send_text(nested(levels))
        alice.expect_error("bad_frame")
    alice.settle()


def test_the_other_framing_in_mid_connection(alice):
    alice.settle()
    alice.send_text('{"type":"ping"}')
    alice.expect_error("bad_frame")


def test_the_first_valid_frame_decides_the_framing(shared, make_chat):
    for path, first, key in [("/", {"type": "ping"}, "type"), ("/ws", {"event": "ping"}, "event")]:
        chat = make_chat(shared, path=path)
        chat.send_text("not a frame")
        chat.expect("error")
        chat.send_text(json.dumps(first))
        assert key in json.loads(chat.socket.recv(timeout=TIMEOUT_SECONDS))


@pytest.mark.parametrize("event", ["nonsense", "new_message", "", "Ping", "ping\u0000", "__proto__", "x" * 5000])
def test_unknown_events(alice, event):
    assert alice.request(event, {})["error"]["code"] == "unknown_event"
    alice.emit(event, {})
    assert alice.expect_error("unknown_event")


BAD_IDS = ["", "x" * (MAX_ID + 1), "a\x00b", {"$ne": ""}, ["room"], True, 1.5, -1.5, None]


@pytest.mark.parametrize("id", BAD_IDS, ids=[repr(id)[:20] for id in BAD_IDS])
def test_ids_that_are_none(shared, make_chat, room, id):
    assert make_chat(shared).request("authenticate", {"userId": id})["error"]["code"] == "bad_request"
    alice = make_chat(shared, "alice")
    alice.join(room)
    for event, data in [
        ("join_room", {}),
        ("send_message", {"message": "x"}),
        ("typing", {"isTyping": True}),
        ("mark_read", {"seq": 0}),
        ("leave_room", {}),
    ]:
        reply = alice.request(event, {"roomId": id} | data)
        assert reply["error"]["code"] == "bad_request", (event, reply)
    for recipients in ([id], ["bob", id]):
        reply = alice.request("send_message", {"recipientIds": recipients, "message": "x"})
        assert reply["error"]["code"] == "bad_request", recipients
        alice.settle()


def test_the_longest_ids_are_taken(shared, make_chat):
    chat = make_chat(shared, "u" * MAX_ID)
    for id in ("r" * MAX_ID, "\U0001f600" * MAX_ID, "a b/c?d#e%f"):
        assert chat.join(id)["state"]["roomId"] == id
        chat.send(id, "x")


@pytest.mark.parametrize(
    "fields",
    [{}, {"message": ""}, {"message": None}, {"message": 7}, {"message": {}}, {"message": "a\x00b"},
     {"message": "x" * (MAX_TEXT + 1)}, {"message": "é" * (MAX_TEXT // 2 + 1)}, {"messageType": 7}, {"messageType": ""},
     {"messageType": "x" * 33}, {"clientMessageId": True}, {"clientMessageId": 7.5}, {"clientMessageId": ""}, {"clientMessageId": "x" * 129},
     {"metadata": "text"}, {"metadata": []}, {"metadata": {"big": "x" * MAX_TEXT}}, {"replyTo": {}},
     {"replyTo": "x" * 129}],
    ids=lambda fields: str(fields)[:40],
)  # fmt: skip
def test_messages_that_are_none(alice, room, fields):
    data = {"roomId": room, "message": "fine"} | fields
    if not fields:
        del data["message"]
    error = alice.request("send_message", data)["error"]
    assert error["code"] == "bad_request"
    assert (next(iter(fields), "message")) in error["message"], "the field at fault is named"
    assert alice.join(room)["history"] == [], "nothing of it was stored"


def test_the_longest_message_is_taken(alice, room):
    for text in ("x" * MAX_TEXT, "é" * (MAX_TEXT // 2)):
        alice.send(room, text)
        assert alice.expect("new_message")["message"] == text


@pytest.mark.parametrize(
    ("event", "data"),
    [("join_room", {}), ("join_room", {"since": -1}), ("join_room", {"since": "1"}), ("join_room", {"since": 1.5}),
     ("join_room", {"since": 2**63}), ("join_room", {"limit": 0}), ("join_room", {"limit": 1001}),
     ("join_room", {"limit": "5"}), ("typing", {}), ("typing", {"isTyping": "yes"}), ("typing", {"isTyping": 1}),
     ("mark_read", {}), ("mark_read", {"seq": -1}), ("mark_read", {"seq": "1"}), ("mark_read", {"seq": None})],
)  # fmt: skip
def test_fields_of_the_wrong_type_or_range(alice, room, event, data):
    data = data if (event, data) == ("join_room", {}) else {"roomId": room} | data
    assert alice.request(event, data)["error"]["code"] == "bad_request"


@pytest.mark.parametrize("data", ["text", 7, [], True])
def test_data_that_is_no_object(alice, data):
    for event in ("join_room", "send_message", "typing", "mark_read", "leave_room", "authenticate", "identify"):
        assert alice.request(event, data)["error"]["code"] == "bad_request"
        alice.settle()


def test_lists_of_recipients_are_bounded(alice):
    for recipients in ([], [f"user-{n}" for n in range(1001)]):
        reply = alice.request("send_message", {"recipientIds": recipients, "message": "x"})
        assert reply["error"]["code"] == "bad_request"


def test_the_rooms_of_one_connection_are_bounded(shared, make_chat, room):
    chat = make_chat(shared, "collector")
    ids = [chat.emit_with_id("join_room", {"roomId": f"{room}-{n}"}) for n in range(1001)]
    replies = [chat.reply(id) for id in ids]
    assert all(reply["success"] for reply in replies[:1000])
    assert replies[1000]["error"]["code"] == "bad_request"
    chat.settle()


def test_unknown_fields_are_ignored(alice, room):
    ack = alice.ask("send_message", {"roomId": room, "message": "x", "seq": 99, "userId": "eve", "unknown": {"a": [1]}})
    message = alice.expect("new_message")
    assert ack["seq"] == 1 and message["userId"] == "alice" and "unknown" not in message


def test_ten_bad_inputs_in_a_row_end_the_connection(shared, make_chat, room):
    chat = make_chat(shared, "alice")
    for _ in range(9):
        chat.send_text("garbage")
    chat.settle()
    for text in ["garbage"] * 4 + ['{"event":"nonsense"}'] * 3 + ['{"event":"join_room","data":{}}'] * 3:
        chat.send_text(text)
    chat.expect_close(4400)
    assert len(chat.events("error")) == 19


def test_another_users_claim_on_a_connection_is_forbidden(alice):
    assert alice.request("authenticate", {"userId": "bob"})["error"]["code"] == "forbidden"
    assert alice.ask("authenticate", {"userId": "alice", "username": "Alice"})["userId"] == "alice"
    assert alice.request("authenticate", {})["error"]["code"] == "bad_request"


def test_a_claim_in_the_query_is_taken_in_trusted_mode(shared, make_chat):
    chat = make_chat(shared, path="/ws?userId=carol&username=Carol%20C", framing="type")
    welcome = chat.expect("welcome")
    assert welcome["userId"] == "carol" and welcome["socketId"]
