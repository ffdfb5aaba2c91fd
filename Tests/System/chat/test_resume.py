"""Coming back: `since`, limits of a replay, and nothing lost between history and live traffic."""

import threading

import pytest

ENVIRONMENT = {"PRESENCE_GRACE_MS": "0"}


@pytest.fixture
def fill(shared, make_chat):
    def fill(room, count, text="message"):
        author = make_chat(shared, "author")
        author.join(room)
        ids = [author.emit_with_id("send_message", {"roomId": room, "message": f"{text} {n + 1}"}) for n in range(count)]
        numbers = [author.reply(id)["seq"] for id in ids]
        author.settle()
        return numbers

    return fill


def numbers(history):
    return [message["seq"] for message in history]


def test_joining_shows_the_newest_fifty_oldest_first(shared, make_chat, room, fill):
    assert fill(room, 60) == list(range(1, 61))
    alice = make_chat(shared, "alice")
    assert numbers(alice.join(room)["history"]) == list(range(11, 61))
    assert numbers(alice.join(room, limit=5)["history"]) == list(range(56, 61))
    assert numbers(alice.join(room, limit=1000)["history"]) == list(range(1, 61))


def test_since_replays_everything_after_it(shared, make_chat, room, fill):
    fill(room, 300)
    alice = make_chat(shared, "alice")
    for since in (0, 1, 100, 250, 299):
        joined = alice.join(room, since=since)
        assert numbers(joined["history"]) == list(range(since + 1, 301))
        assert joined["state"]["lastSeq"] == 300
    assert alice.join(room, since=300)["history"] == []
    assert alice.events("resync_required") == []


def test_a_thousand_are_replayed_and_more_ask_for_a_resync(shared, make_chat, room, fill):
    fill(room, 1050)
    alice = make_chat(shared, "alice")
    assert numbers(alice.join(room, since=50)["history"]) == list(range(51, 1051))
    alice.settle()
    assert alice.events("resync_required") == []

    joined = alice.join(room, since=49)
    assert numbers(joined["history"]) == list(range(1001, 1051)), "the newest fifty"
    assert alice.expect("resync_required") == {"roomId": room, "lastSeq": 1050}
    rest = shared.get(f"/api/chat/{room}/history?after=49&limit=1000").json()
    assert numbers(rest["messages"]) == list(range(50, 1050)) and rest["hasMore"] is True


def test_a_mark_from_another_life_of_the_room_asks_for_a_resync(shared, make_chat, room, fill):
    fill(room, 3)
    alice = make_chat(shared, "alice")
    joined = alice.join(room, since=99)
    assert numbers(joined["history"]) == [1, 2, 3]
    assert alice.expect("resync_required") == {"roomId": room, "lastSeq": 3}


def test_messages_sent_meanwhile_come_on_resume(shared, make_chat, room):
    alice, bob = make_chat(shared, "alice"), make_chat(shared, "bob")
    alice.join(room)
    bob.join(room)
    alice.send(room, "seen")
    seen = bob.expect("new_message")["seq"]
    bob.abort()
    alice.send(room, "missed 1")
    alice.send(room, "missed 2")
    back = make_chat(shared, "bob")
    assert [m["message"] for m in back.join(room, since=seen)["history"]] == ["missed 1", "missed 2"]
    alice.send(room, "live")
    assert back.expect("new_message")["message"] == "live"


def test_joining_while_others_send_misses_nothing_and_repeats_nothing(shared, make_chat, room):
    """Ten times over, history followed by live messages is 1, 2, 3 … without a hole or a repeat."""
    author = make_chat(shared, "author")
    author.join(room)
    done = threading.Event()

    def chatter():
        sent = 0
        while not done.is_set():
            ids = [author.emit_with_id("send_message", {"roomId": room, "message": "x"}) for _ in range(8)]
            sent += sum(author.reply(id)["success"] for id in ids)
        return sent

    thread = threading.Thread(target=chatter)
    thread.start()
    try:
        for round in range(10):
            reader = make_chat(shared, f"reader-{round}")
            since = round * 20
            reader.emit("join_room", {"roomId": room, "since": since})
            seen = numbers(reader.expect("message_history"))
            resync = reader.expect("room_state") and reader.events("resync_required")
            while len(seen) < 100 or len(reader.events("new_message")) < 40:
                seen.append(reader.expect("new_message")["seq"])
                if len(seen) > 400:
                    break
            first = seen[0]
            assert seen == list(range(first, first + len(seen)))
            if not resync:
                assert first == since + 1
            reader.close()
    finally:
        done.set()
        thread.join()
