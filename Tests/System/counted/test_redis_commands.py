"""Commands and round trips to Redis for a message, counted at the wire."""

import collections

from background import Background
from support.deadline import eventually
from support.redis_counter import RedisCounter

COUNT = 100


class Since:
    """What the instance has sent to Redis since this moment."""

    def __init__(self, counter: RedisCounter):
        self._counter = counter
        self._commands, self._writes = counter.commands.copy(), counter.writes
        self.background = Background(20, 5)

    def commands(self) -> collections.Counter[str]:
        return self._counter.commands - self._commands

    def after_publications(self, count: int) -> collections.Counter[str]:
        """The commands once there are so many publications: a client may have a message a moment before Redis has."""
        eventually(lambda: self.commands()["PUBLISH"] >= count, what=lambda: f"{count} publications in {self.commands()}")
        return self.commands()

    def writes(self) -> int:
        return self._counter.writes - self._writes


def test_a_message_alone_is_a_publication_and_a_place_in_the_cache_in_one_round_trip(counted_fleet, make_exchange):
    exchange = make_exchange(counted_fleet.server, "alone", 4)
    since = Since(counted_fleet.redis)
    exchange.one_by_one(COUNT)
    made = since.after_publications(COUNT)
    assert made["PUBLISH"] <= COUNT + since.background.allowed()
    assert made.total() <= 2 * COUNT + since.background.allowed(), made
    assert COUNT / 2 <= since.writes() <= COUNT + since.background.allowed()


def test_messages_of_one_turn_are_one_round_trip(counted_fleet, make_exchange):
    exchange = make_exchange(counted_fleet.server, "together", 4)
    since = Since(counted_fleet.redis)
    exchange.in_one_turn(COUNT)
    made = since.after_publications(COUNT)
    assert made["PUBLISH"] <= COUNT + since.background.allowed()
    # The cache takes the messages of a batch in one command.
    assert made.total() - made["PUBLISH"] <= since.background.allowed(), made
    assert 1 <= since.writes() <= since.background.allowed()
