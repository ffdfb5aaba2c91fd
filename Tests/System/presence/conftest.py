"""Presence alone and on two instances that meet in Redis."""

from pathlib import Path
from typing import Iterator, Mapping

import pytest

from support.deadline import eventually
from support.server import Server
from support.services import Redis
from support.shared import room

__all__ = ["room"]

KEY = {"X-Service-Key": "a-service-key-of-length"}


class Pair:
    """Instances that share Redis and nothing else."""

    def __init__(self, directory: Path, make_server, env: Mapping[str, str]):
        self.redis = Redis(directory / "redis")
        self.redis.start()
        common = {
            "REDIS_URL": self.redis.url,
            "SERVICE_API_KEY": KEY["X-Service-Key"],
            "PRESENCE_GRACE_MS": "500",
            "MAX_CONNECTIONS_PER_USER": "0",
            **env,
        }
        self.servers = [make_server(common | {"INSTANCE_ID": f"i{number}"}) for number in (1, 2)]
        self.keys = self.redis.client()
        for server in self.servers:
            eventually(lambda: self.keys.zscore("chat-service:instances", server.env["INSTANCE_ID"]), "a lease")

    def online(self, server: Server) -> int:
        return server.get("/api/online-users?countOnly=true", headers=KEY).json()["count"]

    def status(self, server: Server, user: str) -> str:
        return server.get(f"/api/presence?ids={user}", headers=KEY).json()[0]["status"]


@pytest.fixture
def make_pair(tmp_path: Path, make_server) -> Iterator:
    pairs: list[Pair] = []

    def make(env: Mapping[str, str] = {}) -> Pair:
        pairs.append(Pair(tmp_path, make_server, env))
        return pairs[-1]

    yield make
    for pair in pairs:
        pair.redis.kill()
