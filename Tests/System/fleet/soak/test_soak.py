"""The long versions of what the other tests do in seconds; run by `scripts/soak`, not with the rest."""

import asyncio
import os
import random
import time

from crowds import check_everywhere, crowd
from support.broker import Notifications, RabbitMQ
from support.deadline import eventually
from support.process import resident_bytes
from support.talkers import Talk, talking

MINUTES = float(os.environ.get("SOAK_MINUTES", "20"))
OUTAGE = float(os.environ.get("SOAK_OUTAGE_SECONDS", "60"))


def test_without_rabbitmq_for_a_minute(make_fleet, tmp_path):
    """At up to 200 messages a second, as far as the store keeps up; says how long the events take to catch up."""
    broker = RabbitMQ(tmp_path / "rabbitmq").start()
    fleet = make_fleet({"RABBITMQ_URL": broker.url, "RABBITMQ_EVENT_MODE": "message"})
    talkers = crowd(fleet, clients=40, rooms=10, pause=0.2)

    async def through() -> None:
        async with talking(talkers) as talk:
            await talk.progress(2, seconds=120)
            broker.kill()
            started, before = time.monotonic(), _count(talk)
            await asyncio.sleep(OUTAGE)
            print(f"\n{(_count(talk) - before) / (time.monotonic() - started):.0f} messages a second without a broker")
            await asyncio.to_thread(broker.start)
            await talk.progress(2, seconds=120)

    try:
        asyncio.run(through())
        started = time.monotonic()
        pending = {"eventOwner": {"$exists": True}}
        eventually(lambda: fleet.database()["messages"].count_documents(pending) == 0, "all events are out", 300, 0.5)
        print(f"caught up {time.monotonic() - started:.1f} s after the last message")
        owed = {id.message_id for talker in talkers for id in talker.acknowledged.values()}
        seen = Notifications()

        def has_all(seen: Notifications) -> bool:
            return len(seen.events) >= len(owed) and owed <= {event["data"]["messageId"] for event in seen.events}

        asyncio.run(seen.collect(broker.url, "new_message", has_all, 300))
        check_everywhere(fleet, talkers)
    finally:
        broker.kill()


def _count(talk: Talk) -> int:
    return sum(len(talker.acknowledged) for talker in talk.talkers)


def test_load_and_faults(make_fleet):
    """Twenty minutes in which something fails every half minute; nothing is lost or repeated, and memory stays bounded."""
    fleet = make_fleet({"SHUTDOWN_GRACE_MS": "2000"})
    talkers = crowd(fleet, pause=0.2)
    faults = [_kill_redis, _pause_redis, _kill_mongo, _kill_instance, _restart_instance, _cut_off_subscribers]
    resident: list[int] = []

    async def through() -> None:
        async with talking(talkers) as talk:
            end = time.monotonic() + MINUTES * 60
            while time.monotonic() < end:
                fault = random.choice(faults)
                print(f"\n{fault.__name__} after {_count(talk)} messages", end="", flush=True)
                await fault(fleet)
                await talk.progress(5, seconds=60)
                await asyncio.sleep(20)
                resident.append(max(resident_bytes(server.pid) for server in fleet.servers))

    asyncio.run(through())
    print(f"\nresident at most {max(resident) >> 20} MiB")
    check_everywhere(fleet, talkers)
    assert max(resident) < 512 << 20


async def _kill_redis(fleet) -> None:
    fleet.redis.kill()
    await asyncio.sleep(5)
    fleet.redis.start(wait=False)


async def _pause_redis(fleet) -> None:
    fleet.redis.pause()
    await asyncio.sleep(10)
    fleet.redis.unpause()


async def _kill_mongo(fleet) -> None:
    fleet.mongo.kill()
    await asyncio.sleep(3)
    fleet.mongo.start(wait=False)


async def _kill_instance(fleet) -> None:
    server = random.choice(fleet.servers)
    await asyncio.to_thread(server.kill)
    await asyncio.sleep(5)
    server.start(wait=False)
    await asyncio.to_thread(server.wait_until_healthy)


async def _restart_instance(fleet) -> None:
    server = random.choice(fleet.servers)
    assert await asyncio.to_thread(server.terminate) == 0
    server.start(wait=False)
    await asyncio.to_thread(server.wait_until_healthy)


async def _cut_off_subscribers(fleet) -> None:
    fleet.keys().client_kill_filter(_type="pubsub")
