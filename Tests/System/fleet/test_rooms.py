"""One room whose members are on two instances."""

import asyncio

import pytest

from support.chat import Refused
from support.deadline import eventually
from support.talkers import Talker, check, talking


def test_concurrent_senders_on_both_instances(fleet):
    """Everybody sees every message once, in the same order, without holes."""
    one, two = fleet.urls
    talkers = [
        Talker([one, two] if n % 2 else [two, one], f"sender-{n}", f"busy-{n % 2}", pause=0.02) for n in range(20)
    ]

    async def talk() -> None:
        async with talking(talkers) as talk:
            await talk.progress(12)

    asyncio.run(talk())
    for server in fleet.servers:
        assert check(server, talkers) >= 20 * 12
    assert all(len(talker.closes) == 1 for talker in talkers), "no client was cut off"


def test_coming_and_going(fleet, make_chat, room):
    alice, bob = (make_chat(server, user) for server, user in zip(fleet.servers, ["alice", "bob"]))
    alice.join(room)
    joined = bob.join(room)
    assert alice.expect("user_joined")["userId"] == "bob"
    # Bob's instance had no members in this room: it asked the other one first.
    assert {user["userId"] for user in joined["users"]} == {"alice", "bob"} and joined["state"]["online"] == 2
    bob.ask("leave_room", {"roomId": room})
    assert alice.expect("user_left")["userId"] == "bob"
    bob.join(room)
    alice.expect("user_joined")
    bob.abort()
    assert alice.expect("user_left")["userId"] == "bob"


def test_a_user_on_both_instances_joins_and_leaves_once(fleet, make_chat, room):
    one, two = fleet.servers
    watcher = make_chat(one, "watcher")
    watcher.join(room)
    first, second = make_chat(one, "bob"), make_chat(two, "bob")
    first.join(room)
    assert watcher.expect("user_joined")["userId"] == "bob"
    second.join(room)
    third = make_chat(two, "carol")
    third.join(room)
    # Carol is announced after bob's second session would have been.
    assert watcher.expect("user_joined")["userId"] == "carol"
    first.ask("leave_room", {"roomId": room})
    third.ask("leave_room", {"roomId": room})
    assert watcher.expect("user_left")["userId"] == "carol"
    second.ask("leave_room", {"roomId": room})
    assert watcher.expect("user_left")["userId"] == "bob"
    assert watcher.events("user_joined") == []


def test_typing_is_announced_and_ends(fleet, make_chat, room):
    alice, bob = (make_chat(server, user) for server, user in zip(fleet.servers, ["alice", "bob"]))
    for chat in (alice, bob):
        chat.join(room)
    eventually(lambda: _sees_typing(alice, bob, room), "typing crosses instances")
    bob.send(room, "what was being typed")
    names = [name for name, _ in alice.inbox]
    alice.expect("user_typing", lambda data: data["userId"] == "bob" and not data["isTyping"])
    alice.expect("new_message")
    assert "error" not in names
    bob.ask("typing", {"roomId": room, "isTyping": True})
    alice.expect("user_typing", lambda data: data["isTyping"])
    bob.abort()
    alice.expect("user_typing", lambda data: not data["isTyping"])


def _sees_typing(watcher, typist, room: str) -> bool:
    """A subscription that was just asked for may miss the first."""
    typist.ask("typing", {"roomId": room, "isTyping": True})
    watcher.read_for(0.2)
    told = any(data["userId"] == "bob" and data["isTyping"] for data in watcher.events("user_typing"))
    if not told:
        typist.ask("typing", {"roomId": room, "isTyping": False})
    return told


def test_read_marks_are_announced_and_kept(fleet, make_chat, room):
    one, two = fleet.servers
    alice, bob = make_chat(one, "alice"), make_chat(two, "bob")
    for chat in (alice, bob):
        chat.join(room)
    for number in range(3):
        alice.send(room, f"message {number}")
    bob.expect("new_message", lambda message: message["seq"] == 3)
    bob.ask("mark_read", {"roomId": room, "seq": 2})
    assert alice.expect("message_read") == {"roomId": room, "userId": "bob", "seq": 2}
    for server in fleet.servers:
        rooms = server.get("/api/rooms", headers={"X-User-Id": "bob"}).json()["rooms"]
        mine = next(each for each in rooms if each["roomId"] == room)
        assert (mine["lastReadSeq"], mine["unread"]) == (2, 1)


def test_a_retry_on_the_other_instance(fleet, make_chat, room):
    one, two = fleet.servers
    first = make_chat(one, "alice")
    first.join(room)
    ack = first.send(room, "once", clientMessageId="try-1")
    assert "duplicate" not in ack
    second = make_chat(two, "alice")
    second.join(room)
    again = second.send(room, "once", clientMessageId="try-1")
    assert again["duplicate"] is True
    assert (again["messageId"], again["seq"], again["timestamp"]) == (ack["messageId"], ack["seq"], ack["timestamp"])
    with pytest.raises(Refused) as refused:
        second.send(room, "something else", clientMessageId="try-1")
    assert refused.value.code == "conflict"
    over_rest = two.post(
        f"/api/chat/{room}/messages", headers={"X-User-Id": "alice", "Idempotency-Key": "try-1"}, json={"message": "once"}
    )
    assert over_rest.status_code == 200 and over_rest.json()["duplicate"] is True
    assert first.events("new_message") == [] or len(first.events("new_message")) == 1
    assert two.get(f"/api/chat/{room}/history").json()["lastSeq"] == 1


def test_resuming_on_the_other_instance(fleet, make_chat, room):
    one, two = fleet.servers
    alice, bob = make_chat(one, "alice"), make_chat(one, "bob")
    for chat in (alice, bob):
        chat.join(room)
    for number in range(3):
        alice.send(room, f"message {number}")
    bob.expect("new_message", lambda message: message["seq"] == 3)
    bob.abort()
    for number in range(3, 8):
        alice.send(room, f"message {number}")
    back = make_chat(two, "bob")
    joined = back.join(room, since=3)
    assert [message["seq"] for message in joined["history"]] == [4, 5, 6, 7, 8]
    assert joined["state"]["lastSeq"] == 8
    alice.send(room, "live again")
    assert back.expect("new_message")["seq"] == 9


def test_direct_rooms_over_two_instances(fleet, make_chat, request):
    one, two = fleet.servers
    a, b = f"a-{request.node.name[:30]}", f"b-{request.node.name[:30]}"
    room = f"direct:{a}:{b}"
    first, second, stranger = make_chat(one, a), make_chat(two, b), make_chat(two, "stranger")
    first.join(room)
    second.join(room)
    first.send(room, "between us")
    assert second.expect("new_message")["message"] == "between us"
    with pytest.raises(Refused):
        stranger.ask("join_room", {"roomId": room})


def test_a_join_on_another_instance_is_seen_by_watchers_of_the_room(fleet, make_chat, room):
    one, two = fleet.servers
    watcher = make_chat(one, "watcher")
    watcher.join(room)
    watcher.ask("leave_room", {"roomId": room})
    # No member is on this instance any more: the room's news is for the watcher alone.
    watcher.ask("subscribe_presence", {"roomIds": [room]})
    newcomer = make_chat(two, f"newcomer-{room}")
    newcomer.join(room)
    watcher.expect("user_status_change", lambda data: data["userId"] == newcomer.user_id)
