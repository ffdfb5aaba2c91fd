"""Redis as a run uses it: one server, or a primary and a replica that sentinels watch; and what stands before each instance."""

import random
import re
from pathlib import Path
from typing import Sequence

import redis

from chaos.proxies import Exchange, Link, RedisLink, ReplySplitter
from support.sentinels import NAME, WatchedRedis
from support.services import Redis


class RedisLinks:
    """All links of one instance to Redis. They fail together."""

    def __init__(self, servers: Sequence[RedisLink], sentinels: Sequence[Link] = ()):
        self._servers = servers
        self._all = [*servers, *sentinels]

    async def start(self) -> None:
        for link in self._all:
            await link.start()

    def lose(self, share: float) -> None:
        for link in self._servers:
            link.loss = share

    def delay(self, seconds: float) -> None:
        for link in self._servers:
            link.delay = seconds

    def slow(self, seconds: float) -> None:
        for link in self._all:
            link.lag = seconds

    def cut(self) -> None:
        for link in self._all:
            link.cut()

    def silence(self) -> None:
        for link in self._all:
            link.silence()

    def mend(self) -> None:
        for link in self._all:
            link.mend()

    async def close(self) -> None:
        for link in self._all:
            await link.close()


class OneRedis:
    def __init__(self, directory: Path):
        self._server = Redis(directory)

    def start(self) -> None:
        """Starts without waiting."""
        self._server.start(wait=False)

    def wait_until_ready(self) -> None:
        self._server.wait_until_ready()

    def kill(self) -> None:
        self._server.kill()

    def primary(self) -> Redis:
        return self._server

    def links(self, seed: str) -> tuple[RedisLinks, str]:
        """Links for one more instance, and the URL that the instance uses."""
        link = RedisLink(self._server.port, random.Random(seed))
        return RedisLinks([link]), f"redis://127.0.0.1:{link.port}"


class SentinelRedis:
    def __init__(self, directory: Path):
        self._watched = WatchedRedis(directory)

    def start(self) -> None:
        """Starts without waiting."""
        for service in [*self._watched.servers, *self._watched.sentinels]:
            service.start(wait=False)

    def wait_until_ready(self) -> None:
        for service in [*self._watched.servers, *self._watched.sentinels]:
            service.wait_until_ready()
        self._watched.wait_until_ready_for_fail_over()

    def kill(self) -> None:
        self._watched.stop()

    def primary(self) -> Redis:
        return self._watched.primary()

    def fail_over(self) -> None:
        try:
            self._watched.fail_over()
        except redis.ResponseError:
            # One is in progress, or the replica is not up to date yet.
            pass

    def sentinel(self, number: int):
        return self._watched.sentinels[number]

    def links(self, seed: str) -> tuple[RedisLinks, str]:
        """Links for one more instance, and the URL that the instance uses."""
        servers = [RedisLink(each.port, random.Random(f"{seed}/{n}")) for n, each in enumerate(self._watched.servers)]
        ports = {each.port: link.port for each, link in zip(self._watched.servers, servers)}
        sentinels = [SentinelLink(each.port, random.Random(seed), ports) for each in self._watched.sentinels]
        hosts = ",".join(f"127.0.0.1:{link.port}" for link in sentinels)
        return RedisLinks(servers, sentinels), f"redis+sentinel://{hosts}/{NAME}"


class SentinelLink(Link):
    """Has the sentinel name an instance's links in place of the servers."""

    def __init__(self, port: int, chance: random.Random, ports: dict[int, int]):
        """`ports`: the link's port for each server's."""
        super().__init__(port, chance)
        self._ports = {str(old).encode(): str(new).encode() for old, new in ports.items()}
        # Lengths in the replies stay right.
        assert all(len(old) == len(new) for old, new in self._ports.items())
        self._pattern = re.compile(rb"\b(" + b"|".join(self._ports) + rb")\b")

    def answers(self, connection: Exchange):
        splitter = ReplySplitter()
        return lambda data: [
            self._pattern.sub(lambda found: self._ports[found[1]], reply) for reply in splitter.feed(data)
        ]

