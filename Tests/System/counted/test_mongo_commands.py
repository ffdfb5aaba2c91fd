"""Commands to MongoDB for a message, counted at the wire."""

import collections

from support.mongo_proxy import MongoProxy

COUNT = 100
# What the driver asks in the background, whatever is sent.
OF_THE_DRIVER = {"hello", "isMaster", "ismaster", "ping", "endSessions"}


def counted(proxy: MongoProxy, since: int) -> collections.Counter[str]:
    """The commands since then, with the collection of each."""
    commands = proxy.commands[since:]
    return collections.Counter(f"{each.name} {each.collection}" for each in commands if each.name not in OF_THE_DRIVER)


def test_a_message_alone_is_one_insert(counted_fleet, make_exchange):
    exchange = make_exchange(counted_fleet.server, "alone", 4)
    before = len(counted_fleet.mongo.commands)
    exchange.one_by_one(COUNT)
    made = counted(counted_fleet.mongo, before)
    assert made.pop("insert messages") == COUNT
    # Behind the acknowledgement: last messages and read marks, of many messages at a time, and what the instance looks up now and then.
    assert sum(made.values()) <= 0.5 * COUNT, made


def test_messages_of_one_turn_are_one_insert(counted_fleet, make_exchange):
    exchange = make_exchange(counted_fleet.server, "together", 4)
    before = len(counted_fleet.mongo.commands)
    counted_fleet.server.pause()
    pending = exchange.emit(COUNT)
    counted_fleet.server.unpause()
    exchange.receive(pending)
    made = counted(counted_fleet.mongo, before)
    # What came while the instance was paused is read at once, or in a few pieces.
    assert 1 <= made["insert messages"] <= 5, made
