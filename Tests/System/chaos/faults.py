"""Faults at work: each begins, lasts, and ends in good order."""

import asyncio
from collections import defaultdict
from typing import Awaitable, Callable

import redis

from chaos.deployment import Deployment
from chaos.history import Disturbance, History
from chaos.plan import Fault

# The longest that a publication, and an answer of a slow server, waits, in seconds, for a fault of amount 1.
LONGEST_DELAY = 4.0
LONGEST_LAG = 0.6


class Faults:
    def __init__(self, deployment: Deployment, history: History):
        self._deployment = deployment
        self._history = history
        # A server may take longer to be back than the plan gives it; the next fault waits for that.
        self._busy: dict[tuple[str, int | None], asyncio.Lock] = defaultdict(asyncio.Lock)

    async def run(self, faults: tuple[Fault, ...]) -> None:
        """All faults at their times; returns when the last has ended."""
        async with asyncio.TaskGroup() as group:
            for fault in faults:
                group.create_task(self._run(fault))

    async def _run(self, fault: Fault) -> None:
        await asyncio.sleep(max(0, fault.begins - self._history.now()))
        async with self._busy[fault.resource, fault.instance]:
            disturbance = Disturbance(fault.kind, fault.instance, self._history.now())
            self._history.disturbances.append(disturbance)
            end = await getattr(self, f"_{fault.kind}")(fault)
            await asyncio.sleep(max(0, disturbance.began_at + fault.ends - fault.begins - self._history.now()))
            if end is not None:
                await end()
            disturbance.ended_at = self._history.now()

    # Instances

    async def _kill_instance(self, fault: Fault) -> Callable[[], Awaitable[None]]:
        return await self._end_instance(fault, lambda server: server.kill())

    async def _drain_instance(self, fault: Fault) -> Callable[[], Awaitable[None]]:
        return await self._end_instance(fault, lambda server: server.terminate())

    async def _end_instance(self, fault: Fault, end: Callable) -> Callable[[], Awaitable[None]]:
        assert fault.instance is not None
        server = self._deployment.servers[fault.instance]
        self._deployment.stopped.add(fault.instance)
        await asyncio.to_thread(end, server)

        async def start() -> None:
            server.start(wait=False)
            self._deployment.stopped.discard(fault.instance)
            await self._deployment.wait_until_healthy(fault.instance)

        return start

    async def _pause_instance(self, fault: Fault) -> Callable[[], Awaitable[None]]:
        assert fault.instance is not None
        server = self._deployment.servers[fault.instance]
        server.pause()
        return _then(server.unpause)

    _pause_instance_past_lease = _pause_instance

    # Between an instance and its servers

    async def _lose_publications(self, fault: Fault) -> Callable[[], Awaitable[None]]:
        link = self._deployment.redis_links[fault.instance or 0]
        link.lose(fault.amount)
        return _then(link.mend)

    async def _delay_publications(self, fault: Fault) -> Callable[[], Awaitable[None]]:
        link = self._deployment.redis_links[fault.instance or 0]
        link.delay(fault.amount * LONGEST_DELAY)
        return _then(link.mend)

    async def _cut_off_from_redis(self, fault: Fault) -> Callable[[], Awaitable[None]]:
        link = self._deployment.redis_links[fault.instance or 0]
        link.cut()
        return _then(link.mend)

    async def _silence_redis(self, fault: Fault) -> Callable[[], Awaitable[None]]:
        link = self._deployment.redis_links[fault.instance or 0]
        link.silence()
        return _then(link.mend)

    async def _slow_redis(self, fault: Fault) -> Callable[[], Awaitable[None]]:
        link = self._deployment.redis_links[fault.instance or 0]
        link.slow(fault.amount * LONGEST_LAG)
        return _then(link.mend)

    async def _slow_mongo(self, fault: Fault) -> Callable[[], Awaitable[None]]:
        link = self._deployment.mongo_links[fault.instance or 0]
        link.lag = fault.amount * LONGEST_LAG
        return _then(link.mend)

    async def _lose_store_answers(self, fault: Fault) -> Callable[[], Awaitable[None]]:
        link = self._deployment.mongo_links[fault.instance or 0]
        link.loss = fault.amount / 2
        return _then(link.mend)

    async def _cut_off_from_mongo(self, fault: Fault) -> Callable[[], Awaitable[None]]:
        link = self._deployment.mongo_links[fault.instance or 0]
        link.cut()
        return _then(link.mend)

    # The servers themselves

    async def _flush_redis(self, _: Fault) -> None:
        await asyncio.to_thread(self._flush)

    def _flush(self) -> None:
        try:
            with self._deployment.redis.primary().client() as client:
                client.flushall()
        except redis.RedisError:
            # A fail-over is under way, and the sentinels still name the primary of before.
            pass

    async def _kill_redis(self, _: Fault) -> Callable[[], Awaitable[None]]:
        server = await asyncio.to_thread(self._deployment.redis.primary)
        server.kill()
        return _then(lambda: server.start(wait=False))

    async def _pause_redis(self, _: Fault) -> Callable[[], Awaitable[None]]:
        server = await asyncio.to_thread(self._deployment.redis.primary)
        server.pause()
        return _then(server.unpause)

    async def _fail_over(self, _: Fault) -> None:
        await asyncio.to_thread(self._deployment.redis.fail_over)

    async def _kill_sentinel(self, fault: Fault) -> Callable[[], Awaitable[None]]:
        # The first one is asked which server is the primary.
        sentinel = self._deployment.redis.sentinel(1 if fault.amount < 0.65 else 2)
        sentinel.kill()
        return _then(lambda: sentinel.start(wait=False))

    async def _kill_mongo(self, _: Fault) -> Callable[[], Awaitable[None]]:
        self._deployment.mongo.kill()

        async def start() -> None:
            self._deployment.mongo.start(wait=False)
            await asyncio.to_thread(self._deployment.mongo.wait_until_ready)

        return start

    async def _pause_mongo(self, _: Fault) -> Callable[[], Awaitable[None]]:
        self._deployment.mongo.pause()
        return _then(self._deployment.mongo.unpause)

    async def _kill_broker(self, _: Fault) -> Callable[[], Awaitable[None]]:
        await asyncio.to_thread(self._deployment.broker.kill)

        async def start() -> None:
            await asyncio.to_thread(self._deployment.broker.start)

        return start

    async def _pause_broker(self, _: Fault) -> Callable[[], Awaitable[None]]:
        self._deployment.broker.pause()
        return _then(self._deployment.broker.unpause)


def _then(end: Callable[[], object]) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        end()

    return run
