"""Pages, bytes and flushes that the embedded store writes for a message."""

import os

from support.exchange import Exchange
from support.server import Server
from support.system_calls import SystemCalls

PAGE = os.sysconf("SC_PAGE_SIZE")
FILES = "/data/"
HEAD = 24
LOG = "chat.db-wal"
COUNT = 200


def pages(calls: SystemCalls) -> int:
    """Pages in the log, each behind its head."""
    return sum((call.result + HEAD) // (HEAD + PAGE) for call in calls.of("pwrite64", file=LOG))


def in_one_turn(server: Server, rooms: list[Exchange], count: int) -> None:
    """So many messages in each room."""
    prepared = [room.prepare(count) for room in rooms]
    server.pause()
    pending = [emit() for emit in prepared]
    server.unpause()
    for room, sent in zip(rooms, pending):
        room.receive(sent)


def test_a_commit_of_one_message_writes_one_page_and_flushes_once(one_loop, make_exchange, watched):
    exchange = make_exchange(one_loop, "alone", 2)
    with watched(one_loop) as calls:
        exchange.one_by_one(COUNT)
    # The journal's page is full after some messages, and then a commit writes two. A move may come in between.
    assert COUNT <= pages(calls) <= 2 * COUNT
    # The pages of a transaction go into the log in one call.
    assert len(calls.of("pwrite64", file=LOG)) <= 1.2 * COUNT
    assert COUNT <= len(calls.of("fdatasync", "fsync", file=FILES)) <= 1.1 * COUNT


def test_a_commit_of_many_rooms_writes_few_pages(one_loop, make_exchange, watched):
    rooms = [make_exchange(one_loop, f"room-{number}", 1) for number in range(30)]
    with watched(one_loop) as calls:
        in_one_turn(one_loop, rooms, 1)
    commits = len(calls.of("fdatasync", file=LOG))
    assert 1 <= commits <= 5, "the rooms' messages were not committed together"
    # Thirty messages fill three pages of the journal. Ordered by room they would dirty thirty of the table alone.
    assert pages(calls) <= 15


def test_a_message_costs_few_bytes_until_it_is_in_its_place(one_loop, make_exchange, watched):
    rooms = [make_exchange(one_loop, f"room-{number}", 1) for number in range(10)]
    with watched(one_loop) as calls:
        for _ in range(4):
            in_one_turn(one_loop, rooms, COUNT // 4)
        # A drain ends the store, which copies the log into the tables.
        assert one_loop.terminate() == 0
    written = sum(call.result for call in calls.of("pwrite64", "write", "pwritev", file=FILES))
    messages = COUNT * len(rooms)
    assert written > 100 * messages, "strace did not see the writes"
    # Each text of a hundred bytes is written to the journal and to its table, in the log and in the tables' file. Where the log is copied
    # before the end too, some pages of the tables are written twice: 1,100 bytes without that, 1,530 with it.
    assert written / messages <= 1700
