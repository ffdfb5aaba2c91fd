"""Redis goes away under load: what was acknowledged reaches everybody all the same, once and in order."""

import asyncio
import time

from crowds import check_everywhere, crowd, lag
from support.deadline import eventually
from support.talkers import talking

def redis_state(server) -> str:
    return server.get("/ready").json()["dependencies"]["redis"]["state"]


def test_killed_and_restarted(make_fleet):
    fleet = make_fleet()
    talkers = crowd(fleet)

    async def through() -> None:
        async with talking(talkers) as talk:
            for _ in range(2):
                await talk.progress(3)
                fleet.redis.kill()
                await talk.progress(5)
                for server in fleet.servers:
                    ready = await asyncio.to_thread(server.get, "/ready")
                    assert ready.status_code == 200, "it serves on without"
                    assert ready.json()["dependencies"]["redis"]["state"] == "down"
                fleet.redis.start(wait=False)
                await talk.progress(3)
            for server in fleet.servers:
                await asyncio.to_thread(eventually, lambda s=server: redis_state(s) == "up", "connected again")
            # Through Redis again, not by chance: each sees what the other instance takes at once.
            await talk.progress(3)

    asyncio.run(through())
    check_everywhere(fleet, talkers)
    assert all(len(talker.closes) == 1 for talker in talkers), "no client noticed"
    assert not any(talker.refused for talker in talkers)


def test_paused_for_ten_seconds(make_fleet):
    fleet = make_fleet()
    talkers = crowd(fleet)

    async def through() -> None:
        async with talking(talkers) as talk:
            await talk.progress(3)
            fleet.redis.pause()
            try:
                until = time.monotonic() + 10
                await talk.progress(5, seconds=10)
                await asyncio.sleep(max(0, until - time.monotonic()))
                await talk.progress(2)
            finally:
                fleet.redis.unpause()
            await talk.progress(3)

    asyncio.run(through())
    check_everywhere(fleet, talkers)
    assert all(len(talker.closes) == 1 for talker in talkers), "no client noticed"
    # Neither instance receives the other's numbers, so one may lose the race for them too often.
    assert {code for talker in talkers for code in talker.refused} <= {"storage_unavailable"}


def test_its_subscribers_cut_off(make_fleet):
    """Publications made meanwhile are lost; the holes are filled from the store within a second."""
    fleet = make_fleet()
    talkers = crowd(fleet)

    async def through() -> None:
        async with talking(talkers) as talk:
            for _ in range(4):
                await talk.progress(2)
                await talk.until(lambda: len(fleet.keys().client_list(_type="pubsub")) >= 2, "both listen again")
                assert fleet.keys().client_kill_filter(_type="pubsub") >= 2
            await talk.progress(2)

    asyncio.run(through())
    check_everywhere(fleet, talkers)
    slowest = max(lag(talkers).values())
    assert slowest < 2, f"a client waited {slowest:.1f} s for a message that others had"


def test_emptied(make_fleet):
    """Scripts and lists are gone from one moment to the next."""
    fleet = make_fleet()
    talkers = crowd(fleet, 8, 2, 0.05)

    async def through() -> None:
        async with talking(talkers) as talk:
            for command in ("SCRIPT FLUSH", "FLUSHALL") * 2:
                await talk.progress(2)
                fleet.keys().execute_command(*command.split())
            await talk.progress(2)

    asyncio.run(through())
    check_everywhere(fleet, talkers)
    for room in {talker.room for talker in talkers}:
        last = fleet.servers[0].get(f"/api/chat/{room}/history").json()["lastSeq"]
        eventually(lambda room=room, last=last: f'"seq":{last}' in _newest(fleet, room), "the list is written again")


def _newest(fleet, room: str) -> str:
    return fleet.keys().lindex(f"chat:history:{room}", -1) or ""
