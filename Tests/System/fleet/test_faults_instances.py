"""An instance dies, stalls or is restarted under load: its clients resume on the other, and nothing is lost or repeated."""

import asyncio
import time

from crowds import check_everywhere, crowd
from support.talkers import Talker, talking


def test_killed(make_fleet):
    fleet = make_fleet()
    one, two = fleet.servers
    talkers = crowd(fleet)

    async def through() -> None:
        async with talking(talkers) as talk:
            await talk.progress(4)
            await asyncio.to_thread(one.kill)
            await talk.progress(4)
            one.start(wait=False)
            await asyncio.to_thread(one.wait_until_healthy)
            await talk.progress(2)
            await asyncio.to_thread(two.kill)
            await talk.progress(4)
            two.start(wait=False)
            await asyncio.to_thread(two.wait_until_healthy)

    asyncio.run(through())
    check_everywhere(fleet, talkers)
    assert all(len(talker.closes) >= 2 for talker in talkers), "everybody was cut off at least once"


def test_paused_and_back(make_fleet):
    """For the others it is as good as dead; when it continues, it catches up before it sends anything wrong."""
    fleet = make_fleet()
    one = fleet.servers[0]
    talkers = crowd(fleet)
    free = [talker for talker in talkers if talker.urls[0] != one.ws_url]

    async def through() -> None:
        async with talking(talkers) as talk:
            await talk.progress(3)
            one.pause()
            try:
                before = [len(talker.acknowledged) for talker in free]
                started = time.monotonic()
                await talk.until(
                    lambda: time.monotonic() - started > 3
                    and all(len(t.acknowledged) > n + 3 for t, n in zip(free, before)),
                    "those on the other instance talk on",
                )
            finally:
                one.unpause()
            await talk.progress(3)

    asyncio.run(through())
    check_everywhere(fleet, talkers)


def test_a_rolling_restart(make_fleet):
    """One after the other, as a deployment does it."""
    fleet = make_fleet({"SHUTDOWN_GRACE_MS": "1000"})
    talkers = crowd(fleet)
    codes: list[int] = []

    async def through() -> None:
        async with talking(talkers) as talk:
            await talk.progress(4)
            for server in fleet.servers:
                moved = _on(talkers, server)
                assert moved, "there are clients to move"
                codes.append(await asyncio.to_thread(server.terminate))
                for talker in moved:
                    assert talker.closes[-1] == 1012, "the code that says: come back and resume"
                    assert 0 <= talker.draining[-1]["reconnectInMs"] <= 1000
                await talk.progress(3)
                server.start(wait=False)
                await asyncio.to_thread(server.wait_until_healthy)
            await talk.progress(2)

    asyncio.run(through())
    assert codes == [0, 0]
    check_everywhere(fleet, talkers)
    assert not any(talker.refused for talker in talkers), "no message was refused"


def _on(talkers: list[Talker], server) -> list[Talker]:
    """Those connected to `server` now."""
    return [talker for talker in talkers if talker.url == server.ws_url]
