"""System calls for a message and for a delivery."""

import collections

from background import Background
from support.exchange import Exchange
from support.system_calls import SystemCalls

MEMBERS = 10
COUNT = 200
# A message alone: its loop wakes for it and for its commit, and reads once each; the loop wakes the store's thread, which
# writes the pages of the log with their heads in one call, flushes, and wakes the loop; each member gets one write, the
# sender's with its acknowledgement.
OF_A_MESSAGE = {
    "epoll_wait": 2, "recvfrom": 1, "read": 1, "write": 1, "pwrite64": 1, "fdatasync": 1, "sendto": MEMBERS,
    "futex": 3,
}  # fmt: skip
# With a second loop, the sender's wakes that of the room, and that one wakes the other for its members. The sendings stay.
WITH_TWO_LOOPS = OF_A_MESSAGE | {"epoll_wait": 5, "read": 3, "write": 3}


def excess(calls: SystemCalls, exchange: Exchange, bounds: dict[str, int]) -> dict[str, int]:
    """The calls that messages one after another cost over the bound."""
    with calls:
        # The loop's and the store's timers, and what an allocator asks of the kernel now and then.
        background = Background(40, 20)
        exchange.one_by_one(COUNT)
        allowance = background.allowed()
    assert len(calls.of("sendto")) >= MEMBERS * COUNT, "strace did not see the deliveries"
    made = collections.Counter(call.name for call in calls.calls)
    return {name: made[name] for name in made if made[name] > bounds.get(name, 0) * COUNT + allowance}


def test_a_message_alone_takes_no_call_more_than_it_needs(one_loop, make_exchange, watched):
    exchange = make_exchange(one_loop, "alone", MEMBERS)
    assert excess(watched(one_loop), exchange, OF_A_MESSAGE) == {}


def test_members_on_two_loops_cost_a_wake_up_of_each(make_server, make_exchange, watched):
    server = make_server({"EVENT_LOOPS": "2", "LOG_LEVEL": "error"})
    exchange = make_exchange(server, "alone", MEMBERS)
    assert excess(watched(server), exchange, WITH_TWO_LOOPS) == {}


def test_messages_of_one_turn_share_a_commit_and_each_members_write(one_loop, make_exchange, watched):
    exchange = make_exchange(one_loop, "together", MEMBERS)
    with watched(one_loop) as calls:
        exchange.in_one_turn(COUNT)
    commits, writes = len(calls.of("fdatasync")), len(calls.of("sendto"))
    # What came while the server was paused is read at once, or in a few pieces.
    assert 1 <= commits <= 8
    assert MEMBERS <= writes <= MEMBERS * (commits + 2)
