"""Commands to MongoDB for a message, counted at the wire."""

from background import Background

COUNT = 100


def test_a_message_alone_is_one_insert(counted_fleet, make_exchange):
    exchange = make_exchange(counted_fleet.server, "alone", 4)
    before, background = len(counted_fleet.mongo.commands), Background(40, 8)
    exchange.one_by_one(COUNT)
    made = counted_fleet.mongo.counted(before)
    assert made.pop("insert messages") == COUNT
    # Behind the acknowledgement: last messages and read marks, of many messages at a time, and what the instance looks up now
    # and then.
    assert made.total() <= background.allowed(), made


def test_messages_of_one_turn_are_one_insert(counted_fleet, make_exchange):
    exchange = make_exchange(counted_fleet.server, "together", 4)
    before = len(counted_fleet.mongo.commands)
    exchange.in_one_turn(COUNT)
    made = counted_fleet.mongo.counted(before)
    assert 1 <= made["insert messages"] <= 5, made
