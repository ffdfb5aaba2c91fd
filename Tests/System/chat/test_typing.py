"""Typing ends by itself, and read marks only move forward."""

import time

TYPING_SECONDS = 6.0
# What the clocks of two processes may differ.
CLOCK = 0.1


def pair(shared, make_chat, room):
    alice, bob = make_chat(shared, "alice"), make_chat(shared, "bob")
    alice.join(room)
    bob.join(room)
    alice.expect("user_joined")
    return alice, bob


def test_the_server_ends_what_clients_forget_to_end(shared, make_chat, room):
    """Bob says it again and again, which prolongs it and is not announced; carol says it once."""
    alice, bob = pair(shared, make_chat, room)
    carol = make_chat(shared, "carol")
    carol.join(room)
    started = {"carol": time.monotonic()}
    carol.ask("typing", {"roomId": room, "isTyping": True})
    for _ in range(3):
        started["bob"] = time.monotonic()
        bob.ask("typing", {"roomId": room, "isTyping": True})
        alice.read_for(1)
    assert [typing["userId"] for typing in alice.events("user_typing")] == ["carol", "bob"]

    def ended(user):
        alice.expect("user_typing", lambda t: t["userId"] == user and not t["isTyping"])
        return time.monotonic() - started[user]

    assert ended("carol") >= TYPING_SECONDS - CLOCK
    assert ended("bob") >= TYPING_SECONDS - CLOCK


def test_typing_ends_on_the_users_message_and_on_leaving(shared, make_chat, room):
    alice, bob = pair(shared, make_chat, room)
    for end in (lambda: bob.send(room, "done"), lambda: bob.ask("leave_room", {"roomId": room})):
        bob.ask("typing", {"roomId": room, "isTyping": True})
        alice.expect("user_typing", lambda typing: typing["isTyping"])
        end()
        alice.settle()
        assert [typing["isTyping"] for typing in alice.events("user_typing")] == [False]
        alice.inbox.clear()


def test_typing_ends_at_once_when_the_connection_breaks(shared, make_chat, room):
    alice, bob = pair(shared, make_chat, room)
    bob.ask("typing", {"roomId": room, "isTyping": True})
    alice.expect("user_typing", lambda typing: typing["isTyping"])
    bob.abort()
    # By itself it would end after six seconds.
    alice.expect("user_typing", lambda typing: not typing["isTyping"], timeout=TYPING_SECONDS - 1)
    assert alice.events("user_left") == []


def test_read_marks_never_move_backwards(shared, make_chat, room):
    alice, bob = pair(shared, make_chat, room)
    for number in range(5):
        alice.send(room, f"message {number}")
    for seq in (2, 4, 3, 4, 1):
        bob.ask("mark_read", {"roomId": room, "seq": seq})
    alice.settle()
    assert [read["seq"] for read in alice.events("message_read")] == [2, 4]


def test_a_mark_beyond_the_newest_message_means_the_newest(shared, make_chat, room):
    alice, bob = pair(shared, make_chat, room)
    alice.send(room, "only one")
    bob.ask("mark_read", {"roomId": room, "seq": 1000})
    assert alice.expect("message_read")["seq"] == 1


def test_unread_counts_follow_messages_and_marks(shared, make_chat, room):
    alice, bob = pair(shared, make_chat, room)

    def listed(user):
        rooms = shared.get("/api/rooms", headers={"X-User-Id": user}).json()["rooms"]
        return next(each for each in rooms if each["roomId"] == room)

    for number in range(4):
        alice.send(room, f"message {number}")
    assert (listed("bob")["unread"], listed("bob")["lastReadSeq"]) == (4, 0)
    bob.ask("mark_read", {"roomId": room, "seq": 3})
    assert (listed("bob")["unread"], listed("bob")["lastReadSeq"]) == (1, 3)
    last = listed("bob")["lastMessage"]
    assert last["content"] == "message 3" and last["senderId"] == "alice" and last["seq"] == 4
    bob.ask("mark_read", {"roomId": room, "seq": 4})
    assert listed("bob")["unread"] == 0
