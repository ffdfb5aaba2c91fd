"""Everybody whose join was answered before a message was sent is among its receivers, on whatever instance they joined."""

import pytest

from support.broker import collect
from support.fleet import Fleet


@pytest.fixture
def fleet(tmp_path, broker, queue):
    fleet = Fleet(tmp_path / "fleet", {"RABBITMQ_URL": broker.url, "RABBITMQ_QUEUE_NEW_MESSAGE": queue})
    yield fleet
    fleet.stop()


def test_members_that_joined_just_before_get_their_event(fleet, make_chat, broker, queue):
    one, two = fleet.servers
    chats = {"alice": make_chat(one, "alice"), "bob": make_chat(two, "bob"), "carol": make_chat(two, "carol")}
    rooms = [f"den-{number}" for number in range(40)]
    for room in rooms:
        for chat in chats.values():
            chat.ask("join_room", {"roomId": room})
        chats["alice"].send(room, "hello")
    expected = {(room, user) for room in rooms for user in ("bob", "carol")}
    seen = collect(broker, queue, lambda seen: len(seen.events) >= len(expected))
    assert {(event["data"]["roomId"], event["data"]["receiverId"]) for event in seen.events} == expected
