"""Instances, the links of each to Redis and MongoDB, and the servers behind them."""

import asyncio
import random
from pathlib import Path

import requests

from chaos.history import End, History
from chaos.plan import Size
from chaos.proxies import MongoLink
from chaos.redis_servers import OneRedis, SentinelRedis
from support.broker import RabbitMQ
from support.server import Server
from support.services import MongoDB

QUEUE = "new_message"
METRICS_SECONDS = 4.0
START_SECONDS = 120.0


class Deployment:
    def __init__(self, directory: Path, size: Size, history: History):
        instances = size.instances
        seed = history.seed
        self._history = history
        self.mongo = MongoDB(directory / "mongo")
        self.redis = SentinelRedis(directory / "redis") if size.sentinels else OneRedis(directory / "redis")
        self.broker = RabbitMQ(directory / "rabbitmq")
        links = [self.redis.links(f"{seed}/redis/{n}") for n in range(instances)]
        self.redis_links = [each for each, _ in links]
        self.mongo_links = [MongoLink(self.mongo.port, random.Random(f"{seed}/mongo/{n}")) for n in range(instances)]
        self.servers = [
            Server(
                directory / f"instance-{number}",
                {
                    "INSTANCE_ID": f"instance-{number}",
                    "MONGODB_URI": f"mongodb://127.0.0.1:{self.mongo_links[number].port}/chat",
                    "REDIS_URL": links[number][1],
                    "RABBITMQ_URL": self.broker.url,
                    "RABBITMQ_QUEUE_NEW_MESSAGE": QUEUE,
                    "AUTH_MODE": "trusted",
                    "PRESENCE_GRACE_MS": "1000",
                    "MAX_CONNECTIONS_PER_USER": "0",
                    "LOG_LEVEL": "info",
                },
            )
            for number in range(instances)
        ]
        # Instances that are stopped on purpose.
        self.stopped: set[int] = set()

    @property
    def ports(self) -> list[int]:
        return [server.port for server in self.servers]

    def name(self, instance: int) -> str:
        return self.servers[instance].env["INSTANCE_ID"]

    async def start(self) -> None:
        # Children are started by the main thread: they are ended with the thread that starts them.
        self.mongo.start(wait=False)
        self.redis.start()
        await asyncio.gather(
            asyncio.to_thread(self.mongo.wait_until_ready),
            asyncio.to_thread(self.redis.wait_until_ready),
            asyncio.to_thread(self.broker.start),
            *(link.start() for link in [*self.redis_links, *self.mongo_links]),
        )
        for server in self.servers:
            server.start(wait=False)
        await asyncio.gather(*(asyncio.to_thread(server.wait_until_healthy) for server in self.servers))

    async def watch(self) -> None:
        """Notes instances that end by themselves, and starts them again, as a process manager does."""
        while True:
            for number, server in enumerate(self.servers):
                code = server.process.poll() if server.process is not None and number not in self.stopped else None
                if code is not None:
                    self._history.ends.append(End(number, self._history.now(), code, server.log_tail(40)))
                    server.process = None
                    server.start(wait=False)
            await asyncio.sleep(0.5)

    async def keep_metrics(self) -> None:
        """What each instance counts, every few seconds, for the evidence."""
        while True:
            for server in self.servers:
                text = await asyncio.to_thread(_metrics, server)
                with (server.directory / "metrics.log").open("a") as log:
                    log.write(f"# at {self._history.now():.1f}\n{text}\n")
            await asyncio.sleep(METRICS_SECONDS)

    async def wait_until_healthy(self, instance: int) -> None:
        """However often it has to be started. The run goes on without it after a while; `/ready` shows it in the end."""
        server = self.servers[instance]
        try:
            async with asyncio.timeout(START_SECONDS):
                while not await asyncio.to_thread(_is_healthy, server):
                    await asyncio.sleep(0.1)
        except TimeoutError:
            pass

    async def stop(self) -> None:
        for server in self.servers:
            if server.process is not None:
                server.process.kill()
                server.process.wait()
                server.process = None
        self.redis.kill()
        self.mongo.kill()
        await asyncio.to_thread(self.broker.kill)
        for link in [*self.redis_links, *self.mongo_links]:
            await link.close()


def _metrics(server: Server) -> str:
    """Those of the service itself, without the bounds of histograms."""
    try:
        lines = server.get("/metrics", timeout=2).text.splitlines()
    except requests.RequestException:
        return "none"
    return "\n".join(line for line in lines if line.startswith("chat_") and "_bucket" not in line)


def _is_healthy(server: Server) -> bool:
    try:
        return server.get("/health", timeout=5).status_code == 200
    except requests.RequestException:
        return False
