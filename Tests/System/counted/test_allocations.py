"""Allocations for a message, counted by a library that stands before the server's malloc.

The counts are those of a release build: a debug build allocates for what the optimizer takes away, so its counts say nothing about a
message. `scripts/count-allocations` makes the build. A bound is the present count with a little room. When a change has a reason to
allocate more, its commit raises the bound and says why.
"""

import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Callable, Iterator

import pytest

from support.chat import Chat
from support.counted_server import CountedServer

ROOMS, MEMBERS = 10, 10
TEXT = "So much is said in an ordinary message of about a hundred characters, which is what most people write"
# Nine are a message's own: its text, the request under way, the draft and its write, the outcome, what was stored and its effects, the frame
# that all members share, and the list of messages that the table does not have yet. The rest is its part of one commit for ten messages, or
# of two where the store's thread begins with the first of them.
TOGETHER = 16
# The same with a whole commit: its lists of writes, jobs and answers, and the wake-ups of two threads.
ALONE = 26
# The timers of the loop and the store, and the moves from the journal, of which one begins each second.
BACKGROUND_A_SECOND = 80
# SQLite's statements: the row of the journal, the row of the table, those of the search index.
IN_SQLITE = 15


@dataclass
class Allocations:
    """What some messages took, and how long they took."""

    messages: int
    seconds: float
    made: Counter[str]

    @property
    def in_sqlite(self) -> float:
        """For each message, without what the time takes."""
        return self._of_each(self.made["SQLite"])

    @property
    def others(self) -> float:
        """For each message, without what the time takes."""
        return self._of_each(self.made.total() - self.made["SQLite"])

    def _of_each(self, count: int) -> float:
        return (count - BACKGROUND_A_SECOND * self.seconds) / self.messages


def of_messages(counted: CountedServer, talk: Callable[[], int]) -> Allocations:
    """What the messages took that `talk` sends; it returns how many those are."""
    before = counted.settled()
    begin = time.monotonic()
    messages = talk()
    seconds = time.monotonic() - begin
    made = counted.settled() - before
    assert made["SQLite"] > messages, "the library saw no statements of SQLite"
    return Allocations(messages, seconds, made)


@pytest.fixture
def rooms(counted: CountedServer) -> Iterator[dict[str, list[Chat]]]:
    """The members of each room."""
    with ExitStack() as opened:
        rooms: dict[str, list[Chat]] = {}
        for room in (f"room-{number}" for number in range(ROOMS)):
            rooms[room] = [opened.enter_context(Chat(counted.server.ws_url, compression=None)) for _ in range(MEMBERS)]
            for number, chat in enumerate(rooms[room]):
                chat.authenticate(f"{room}-{number}")
                chat.join(room)
        yield rooms


def send(room: str, members: list[Chat]) -> None:
    members[0].emit("send_message", {"roomId": room, "message": TEXT})


def receive(members: list[Chat]) -> None:
    for chat in members:
        chat.expect("new_message")
        chat.inbox.clear()


def test_messages_that_come_together_take_few_allocations(counted, rooms):
    def talk(rounds: int) -> int:
        for _ in range(rounds):
            # So that one turn reads all of them, and one commit stores them.
            with counted.stopped():
                for room, members in rooms.items():
                    send(room, members)
            for members in rooms.values():
                receive(members)
        return rounds * ROOMS

    talk(20)
    # Two segments of the search index and more, so that all that is done behind the acknowledgement is counted.
    allocations = of_messages(counted, lambda: talk(210))
    assert allocations.others <= TOGETHER, allocations
    assert allocations.in_sqlite <= IN_SQLITE, allocations


def test_a_message_alone_pays_for_its_commit_too(counted, rooms):
    room, members = next(iter(rooms.items()))

    def talk(rounds: int) -> int:
        for _ in range(rounds):
            send(room, members)
            receive(members)
        return rounds

    talk(20)
    allocations = of_messages(counted, lambda: talk(200))
    assert allocations.others <= ALONE, allocations
