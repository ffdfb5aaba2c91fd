"""RabbitMQ goes away under load: every message has its events afterwards."""

import asyncio
import datetime
import time

import pytest

from crowds import check_everywhere, crowd
from support.broker import Notifications, RabbitMQ
from support.deadline import eventually
from support.talkers import Talker, talking


@pytest.fixture
def broker(tmp_path):
    broker = RabbitMQ(tmp_path / "rabbitmq").start()
    yield broker
    broker.kill()


def test_killed_for_ten_seconds(make_fleet, broker):
    fleet = make_fleet({"RABBITMQ_URL": broker.url}, before=_make_rooms)
    talkers = crowd(fleet, pause=0.4)

    async def through() -> None:
        async with talking(talkers) as talk:
            await talk.progress(3)
            await asyncio.to_thread(broker.save_queues)
            broker.kill()
            down_since = time.monotonic()
            for server in fleet.servers:
                await asyncio.to_thread(eventually, lambda s=server: _state(s) == "down", "the outage shows")
                assert (await asyncio.to_thread(server.get, "/ready")).status_code == 200, "it serves on without"
            await talk.progress(3)
            await asyncio.sleep(max(0, down_since + 10 - time.monotonic()))
            await asyncio.to_thread(broker.start)
            await talk.progress(2)
            for server in fleet.servers:
                await asyncio.to_thread(eventually, lambda s=server: _state(s) == "up", "the broker is back")

    asyncio.run(through())
    expected = _events_owed(talkers)
    seen = Notifications()
    until = seen.collect(broker.url, "new_message", lambda seen: expected <= seen.deliveries.keys())
    try:
        asyncio.run(until)
    except TimeoutError:
        pass
    assert seen.deliveries.keys() == expected, "one for everything, and of nothing else"
    # On a busy machine the test's store is slow; the broker has no part in a refusal of that code.
    assert {code for talker in talkers for code in talker.refused} <= {"storage_unavailable"}
    check_everywhere(fleet, talkers)
    eventually(lambda: fleet.database()["messages"].count_documents({"eventOwner": {"$exists": True}}) == 0, "all sent")


def _make_rooms(fleet) -> None:
    """Events go to the participants at publication: all users take part from the start."""
    now = datetime.datetime.now(datetime.timezone.utc)
    rooms: dict[str, list[str]] = {}
    for talker in crowd(fleet):
        rooms.setdefault(talker.room, []).append(talker.user)
    fleet.database()["rooms"].insert_many(
        {"roomId": room, "type": "group", "participants": users, "createdAt": now, "updatedAt": now}
        for room, users in rooms.items()
    )


def _state(server) -> str:
    return server.get("/ready").json()["dependencies"]["rabbitmq"]["state"]


def _events_owed(talkers: list[Talker]) -> set[str]:
    """One for each message and each other client of its room, by the id that lets a consumer drop a repeat."""
    rooms: dict[str, set[str]] = {}
    for talker in talkers:
        rooms.setdefault(talker.room, set()).add(talker.user)
    return {
        f"{ack.message_id}:{receiver}"
        for talker in talkers
        for ack in talker.acknowledged.values()
        for receiver in rooms[talker.room] - {talker.user}
    }
