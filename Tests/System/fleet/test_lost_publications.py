"""Publications that Redis never passes on: a hint that was lost costs a moment, never a message."""

import re

import pytest

from support.between import Between
from support.deadline import eventually


class Swallower(Between):
    """A proxy between the instances and Redis that sends publications for rooms named in `swallowed` astray."""

    def __init__(self, port: int):
        super().__init__(port)
        self.swallowed: set[bytes] = set()
        self.count = 0

    def change(self, data: bytes) -> bytes:
        """To a channel without subscribers, with a name as long: Redis acknowledges the publication."""
        for room in list(self.swallowed):
            pattern = rb"(\$7\r\nPUBLISH\r\n\$\d+\r\n)chat(:room:" + re.escape(room) + rb"\r\n)"
            data, count = re.subn(pattern, rb"\1lost\2", data)
            self.count += count
        return data


@pytest.fixture
def swallowing(make_fleet):
    """A fleet whose Redis is reached through a `Swallower`."""
    swallowers: list[Swallower] = []

    def between(port: int) -> int:
        swallowers.append(Swallower(port))
        return swallowers[0].port

    fleet = make_fleet(redis_through=between)
    yield fleet, swallowers[0]
    swallowers[0].close()


def test_holes_are_filled(swallowing, make_chat):
    fleet, swallower = swallowing
    one, two = fleet.servers
    alice, bob = make_chat(one, "alice"), make_chat(two, "bob")
    for room in ("busy", "quiet"):
        for chat in (alice, bob):
            chat.join(room)
        # The subscription is in force once a message gets through.
        alice.send(room, "heard")
        bob.expect("new_message", lambda message, room=room: message["roomId"] == room)

    # The last message before a room goes quiet: no later one shows that it is missing.
    swallower.swallowed.add(b"quiet")
    last = alice.send("quiet", "the last word")["seq"]
    eventually(lambda: swallower.count == 1, "it was swallowed")

    # One in the midst of others: the next one shows the hole, and the store fills it.
    for number in range(5):
        swallower.swallowed.add(b"busy")
        lost = alice.send("busy", f"lost {number}")["seq"]
        eventually(lambda n=number: swallower.count == n + 2, "it was swallowed")
        swallower.swallowed.discard(b"busy")
        alice.send("busy", f"next {number}")
        got = [bob.expect("new_message", lambda message: message["roomId"] == "busy") for _ in range(2)]
        assert [message["seq"] for message in got] == [lost, lost + 1], "in order"
    eventually(lambda: "chat_repairs_total 5" in two.get("/metrics").text, "each is counted")

    # The sweep finds the other.
    found = bob.expect("new_message", lambda message: message["roomId"] == "quiet", timeout=90)
    assert found["seq"] == last


def test_resuming_ahead_of_the_other_instance(swallowing, make_chat):
    """A client that moves faster than the publication gets no resync: the other instance reads up first."""
    fleet, swallower = swallowing
    one, two = fleet.servers
    alice, bob = make_chat(one, "alice"), make_chat(two, "bob")
    for chat in (alice, bob):
        chat.join("r")
    alice.send("r", "heard")
    bob.expect("new_message")
    swallower.swallowed.add(b"r")
    last = [alice.send("r", f"lost {number}")["seq"] for number in range(3)][-1]
    moved = make_chat(two, "alice")
    joined = moved.join("r", since=last)
    assert joined["history"] == [] and joined["state"]["lastSeq"] == last
    assert moved.events("resync_required") == []
    assert [bob.expect("new_message")["seq"] for _ in range(3)] == [2, 3, 4], "found for everybody"
    # A number that no message has is of another life of the room.
    stray = make_chat(two, "carol")
    stray.join("r", since=1000)
    stray.expect("resync_required")
