"""Several instances of the service that serve the same rooms."""

import subprocess
from pathlib import Path
from typing import Any, Callable, Iterator, Mapping

import pytest
import redis
from pymongo.database import Database

from support.deadline import TIMEOUT_SECONDS
from support.services import MongoDB, Redis
from support.server import Server, binary, clean_environment


class Fleet:
    """MongoDB, Redis and instances that meet in them, each a process of its own on loopback."""

    def __init__(
        self,
        directory: Path,
        env: Mapping[str, str] | None = None,
        *,
        instances: int = 2,
        start: bool = True,
        redis_through: Callable[[int], int] | None = None,
        mongo_through: Callable[[int], str] | None = None,
        make_redis: Callable[[Path], Any] = Redis,
    ):
        """`redis_through`: puts something before the port of Redis, and says where the instances find that.

        `mongo_through`: puts something before the port of MongoDB, and says by which URI the instances find that.

        `make_redis`: makes another deployment of Redis than one server; its `url` leads the instances there.
        """
        self.mongo = MongoDB(directory / "mongo")
        self.redis = make_redis(directory / "redis")
        redis_url = f"redis://127.0.0.1:{redis_through(self.redis.port)}" if redis_through else self.redis.url
        common = {
            "MONGODB_URI": mongo_through(self.mongo.port) if mongo_through else self.mongo.uri(),
            "REDIS_URL": redis_url,
            "AUTH_MODE": "trusted",
            "PRESENCE_GRACE_MS": "200",
            "MAX_CONNECTIONS_PER_USER": "0",
            **(env or {}),
        }
        self.servers = [
            Server(directory / name, {**common, "INSTANCE_ID": name})
            for name in (f"instance-{number}" for number in range(1, instances + 1))
        ]
        if start:
            self.start()

    def start(self, before: Callable[["Fleet"], None] | None = None) -> "Fleet":
        """`before` is called between the start of the servers and that of the instances."""
        for service in (self.mongo, self.redis):
            service.start(wait=False)
        for service in (self.mongo, self.redis):
            service.wait_until_ready()
        if before is not None:
            before(self)
        for server in self.servers:
            server.start(wait=False)
        for server in self.servers:
            server.wait_until_healthy()
        return self

    def stop(self) -> None:
        """For the end of a test; fails when an instance had ended by itself."""
        try:
            for server in self.servers:
                server.stop()
        finally:
            self.redis.kill()
            self.mongo.kill()

    def migrate(self) -> subprocess.CompletedProcess[str]:
        """Has the numbers written into messages that an older program left without."""
        # The test's MongoDB takes long for a batch on a busy machine.
        env = {"MONGODB_URI": self.mongo.uri() + "?socketTimeoutMS=60000", "LOG_FORMAT": "json"}
        command = [str(binary()), "migrate"]
        return subprocess.run(command, env=clean_environment(env), capture_output=True, text=True, timeout=5 * TIMEOUT_SECONDS)

    @property
    def urls(self) -> list[str]:
        return [server.ws_url for server in self.servers]

    def database(self) -> Database[Mapping[str, Any]]:
        """What the instances store, as another program sees it."""
        return self.mongo.client()["chat"]

    def keys(self) -> redis.Redis:
        """What the instances keep in Redis, as another program sees it."""
        return self.redis.client()


MakeFleet = Callable[..., Fleet]

fleets_of_test: pytest.StashKey[list[Fleet]] = pytest.StashKey()


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Two instances that tests share; each uses rooms of its own (`room`) and disturbs no other test."""
    fleet = Fleet(tmp_path_factory.mktemp("fleet"))
    yield fleet
    fleet.stop()


@pytest.fixture
def make_fleet(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[MakeFleet]:
    """Makes fleets of a test's own, to be disturbed: `make_fleet({"SHUTDOWN_GRACE_MS": "500"}, instances=3)`.

    `before` is called with the fleet while its servers run and its instances do not yet.
    """
    fleets: list[Fleet] = []
    request.node.stash[fleets_of_test] = fleets

    def make(*arguments, before: Callable[[Fleet], None] | None = None, **options) -> Fleet:
        fleet = Fleet(tmp_path / f"fleet-{len(fleets) + 1}", *arguments, start=False, **options)
        fleets.append(fleet)
        return fleet.start(before)

    yield make
    for fleet in fleets:
        fleet.stop()
