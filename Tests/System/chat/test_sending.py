"""Sending: order, retries, and commands sent in one go."""

import json

from support.chat import Refused
from support.wire import Wire, event, upgrade_request


def test_commands_sent_in_one_write_take_effect_in_order(shared, room):
    with Wire(shared.port) as wire:
        commands = [
            event("authenticate", {"userId": "alice"}, 1),
            event("join_room", {"roomId": room}, 2),
            *(event("send_message", {"roomId": room, "message": f"m{n}"}, 10 + n) for n in range(20)),
            event("mark_read", {"roomId": room, "seq": 20}, 3),
            event("leave_room", {"roomId": room}, 4),
            event("send_message", {"roomId": room, "message": "too late"}, 5),
        ]
        assert wire.ask(upgrade_request() + b"".join(commands)).status == 101
        replies, live = {}, []
        while 5 not in replies:
            value = json.loads(wire.frame().payload)
            if value["event"] == "ack":
                replies[value["id"]] = value["data"]
            elif value["event"] == "new_message":
                live.append(value["data"]["message"])
        assert list(replies) == [1, 2, *range(10, 30), 3, 4, 5]
        assert [replies[10 + n]["seq"] for n in range(20)] == list(range(1, 21))
        assert live == [f"m{n}" for n in range(20)]
        assert replies[3]["success"] and replies[4]["success"]
        assert replies[5]["error"]["code"] == "not_joined"


def test_many_more_commands_than_may_wait_are_all_answered_in_order(shared, make_chat, room):
    alice = make_chat(shared, "alice")
    ids = [alice.emit_with_id("join_room", {"roomId": room})]
    ids += [alice.emit_with_id("send_message", {"roomId": room, "message": f"{n}"}) for n in range(1000)]
    replies = [alice.reply(id) for id in ids[1:]]
    assert [reply["seq"] for reply in replies] == list(range(1, 1001))
    alice.settle()


def test_commands_for_several_rooms_keep_their_order(shared, make_chat, room):
    alice = make_chat(shared, "alice")
    rooms = [f"{room}-{n}" for n in range(8)]
    for each in rooms:
        alice.emit("join_room", {"roomId": each})
    ids = [alice.emit_with_id("send_message", {"roomId": rooms[n % 8], "message": f"{n}"}) for n in range(64)]
    assert [alice.reply(id)["seq"] for id in ids] == [n // 8 + 1 for n in range(64)]
    for each in rooms:
        alice.emit("leave_room", {"roomId": each})
        alice.emit("send_message", {"roomId": each, "message": "left"})
    alice.settle()
    assert [error["code"] for error in alice.events("error")] == ["not_joined"] * 8


def test_ids_of_requests_may_be_texts(shared, room):
    with Wire(shared.port) as wire:
        wire.open().send(event("authenticate", {"userId": "alice"}, "a-1") + event("ping", None, "ünï"))
        assert wire.event("ack")["success"] is True
        assert wire.event("ack") == {"success": True}


def test_a_retry_is_stored_once_and_answered_as_the_first_was(shared, make_chat, room):
    alice = make_chat(shared, "alice")
    alice.join(room)
    first = alice.send(room, "pay me", clientMessageId="order-1")
    retry = alice.send(room, "pay me", clientMessageId="order-1")
    assert retry == {**first, "duplicate": True}
    alice.settle()
    assert len(alice.events("new_message")) == 1
    assert shared.get(f"/api/chat/{room}/history").json()["lastSeq"] == 1


def test_a_retry_in_the_same_batch_is_stored_once(shared, make_chat, room):
    alice = make_chat(shared, "alice")
    alice.join(room)
    frames = {"roomId": room, "message": "again", "clientMessageId": "batch"}
    replies = [alice.reply(id) for id in [alice.emit_with_id("send_message", frames) for _ in range(10)]]
    assert {(reply["messageId"], reply["seq"]) for reply in replies} == {(replies[0]["messageId"], 1)}
    assert [reply.get("duplicate", False) for reply in replies] == [False] + [True] * 9


def test_a_retry_after_a_restart_finds_the_first(make_server, make_chat, room):
    server = make_server()
    alice = make_chat(server, "alice")
    alice.join(room)
    first = alice.send(room, "durable", clientMessageId="d-1")
    server.kill()
    server.start()
    again = make_chat(server, "alice")
    again.join(room)
    assert again.send(room, "durable", clientMessageId="d-1") == {**first, "duplicate": True}


def test_the_same_id_with_another_body_is_a_conflict(shared, make_chat, room):
    alice = make_chat(shared, "alice")
    alice.join(room)
    alice.send(room, "one", clientMessageId="c-1")
    for other in ({"message": "two"}, {"message": "one", "messageType": "image"}, {"message": "one", "metadata": {}}):
        reply = alice.request("send_message", {"roomId": room, "clientMessageId": "c-1"} | other)
        assert reply["success"] is False and reply["error"]["code"] == "conflict", other
        assert reply["error"]["retryable"] is False


def test_client_ids_belong_to_one_user_and_one_room(shared, make_chat, room):
    alice, bob = make_chat(shared, "alice"), make_chat(shared, "bob")
    for chat in (alice, bob):
        chat.join(room)
    alice.join(room + "-other")
    acks = [
        alice.send(room, "one", clientMessageId="same"),
        bob.send(room, "two", clientMessageId="same"),
        alice.send(room + "-other", "three", clientMessageId="same"),
    ]
    assert len({ack["messageId"] for ack in acks}) == 3
    assert not any("duplicate" in ack for ack in acks)


def test_both_or_neither_of_room_and_recipients_is_refused(shared, make_chat, room):
    alice = make_chat(shared, "alice")
    alice.join(room)
    for data in ({"message": "x"}, {"message": "x", "roomId": room, "recipientIds": ["bob"]}):
        try:
            alice.ask("send_message", data)
        except Refused as refused:
            assert refused.code == "bad_request"
        else:
            raise AssertionError(f"taken: {data}")


def test_several_senders_see_one_order(shared, make_chat, room):
    chats = [make_chat(shared, f"user-{n}") for n in range(5)]
    for chat in chats:
        chat.join(room)
    for n in range(20):
        for chat in chats:
            chat.emit("send_message", {"roomId": room, "message": f"{chat.user_id} {n}"})
    seen = []
    for chat in chats:
        seen.append([chat.expect("new_message") for _ in range(100)])
    assert [m["seq"] for m in seen[0]] == list(range(1, 101))
    assert all(each == seen[0] for each in seen)
    for chat in chats:
        own = [m["message"] for m in seen[0] if m["userId"] == chat.user_id]
        assert own == [f"{chat.user_id} {n}" for n in range(20)], "a sender's order never turns"
