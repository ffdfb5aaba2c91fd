"""An instance on MongoDB and Redis with a proxy before each, which counts what the instance asks."""

from pathlib import Path
from typing import Mapping

from support.fleet import Fleet
from support.mongo_proxy import MongoProxy
from support.redis_counter import RedisCounter
from support.server import Server


class CountedFleet:
    """Runs between `__enter__` and `__exit__`."""

    mongo: MongoProxy
    redis: RedisCounter

    def __init__(self, directory: Path, env: Mapping[str, str]):
        self._fleet = Fleet(
            directory, env, instances=1, start=False, mongo_through=self._before_mongo, redis_through=self._before_redis
        )

    @property
    def server(self) -> Server:
        return self._fleet.servers[0]

    def __enter__(self) -> "CountedFleet":
        self._fleet.start()
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._fleet.stop()
        finally:
            self.mongo.close()
            self.redis.close()

    def _before_mongo(self, port: int) -> str:
        self.mongo = MongoProxy(port)
        return self.mongo.uri()

    def _before_redis(self, port: int) -> int:
        self.redis = RedisCounter(port)
        return self.redis.port
