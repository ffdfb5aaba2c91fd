"""A message over MongoDB and Redis: the instance's processor time, and what it asks of the two, counted at the wire."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Callable

from support.counted_fleet import CountedFleet
from support.exchange import Exchange
from support.fleet import Fleet

from benchmarks.fanout import Plan, Runs
from benchmarks.programs import Run, Target, chat_load, floor, on_cores, service

UNLIMITED = {
    "RATE_LIMIT_MESSAGES": "0", "RATE_LIMIT_CONNECTIONS": "0", "LOG_LEVEL": "error", "EVENT_LOOPS": "1",
    "PRESENCE_AWAY_AFTER_MS": "0",
}  # fmt: skip
# Rooms of ten, at a rate that the test server for MongoDB's protocol stands on a shared core.
LOAD: dict[str, Any] = {"connections": 100, "rooms": 10, "rate": 100, "warm_up": 2}
COUNT = 200


def fleet(plan: Plan) -> Runs:
    runs: Runs = {"floor": [], "embedded": [], "fleet": [], "commands": []}
    load = {**LOAD, "seconds": max(plan.seconds, 3)}
    for _ in range(plan.few_rounds):
        with floor(plan.cores.server) as target:
            runs["floor"] += chat_load(plan.cores.load, target, **load)
        with service((plan.cores.server,), plan.directory) as (target, _server):
            runs["embedded"] += chat_load(plan.cores.load, target, **load)
        runs["fleet"] += over_servers(plan, load)
    runs["commands"] = commands(plan)
    return runs


def over_servers(plan: Plan, load: dict[str, Any]) -> list[Run]:
    """The instance on its core, the servers beside the load."""
    with TemporaryDirectory(dir=plan.directory) as directory:
        with on_cores(plan.cores.load):
            running = Fleet(Path(directory), UNLIMITED, instances=1, start=False)
            running.mongo.start()
            running.redis.start()
        try:
            with on_cores(plan.cores.server):
                running.servers[0].start()
            server = running.servers[0]
            return chat_load(plan.cores.load, Target(server.port, server.pid), **load)
        finally:
            running.stop()


def commands(plan: Plan) -> list[Run]:
    """Commands a message, one after another and many in a turn."""
    with TemporaryDirectory(dir=plan.directory) as directory, CountedFleet(Path(directory), UNLIMITED) as running:
        with Exchange(running.server, "counted", 10) as exchange:
            return [
                counted("one after another", running, exchange.one_by_one),
                counted(f"{COUNT} in one turn", running, exchange.in_one_turn),
            ]


def counted(name: str, running: CountedFleet, exchange: Callable[[int], None]) -> Run:
    mongo, redis = running.mongo, running.redis
    begin, asked, writes = len(mongo.commands), redis.commands.copy(), redis.writes
    exchange(COUNT)
    return {
        "messages": name,
        "mongo": {command: count / COUNT for command, count in mongo.counted(begin).most_common()},
        "redis": {command: count / COUNT for command, count in (redis.commands - asked).most_common()},
        "redisWrites": (redis.writes - writes) / COUNT,
    }
