"""Messages to the members of rooms: one large room, many small ones, little load, the highest rate, too much load, two loops."""

from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.programs import Cores, Run, chat_load, floor, service

# A rate holds while 99 of 100 copies arrive within this time.
LIMIT_MS = 100
# The highest rate is sought from this many messages a second, in these steps.
SEARCH_BEGIN, SEARCH_STEP, STEP = 1000, 1.4, 1.1
SMALL_ROOMS = {"connections": 5000, "rooms": 500}


@dataclass(frozen=True)
class Plan:
    """How much is measured, and where."""

    seconds: float
    rounds: int
    # Of figures that take long.
    few_rounds: int
    directory: Path
    cores: Cores = field(default_factory=Cores.found)


Runs = dict[str, list[Run]]


def alternated(plan: Plan, rounds: int, load: dict[str, Any]) -> Runs:
    """The floor and the service in turn, each new for every round."""
    runs: Runs = {"floor": [], "service": []}
    for _ in range(rounds):
        with floor(plan.cores.server) as target:
            runs["floor"] += chat_load(plan.cores.load, target, **load)
        with service((plan.cores.server,), plan.directory) as (target, _server):
            runs["service"] += chat_load(plan.cores.load, target, **load)
    return runs


def large_room(plan: Plan) -> Runs:
    return alternated(plan, plan.rounds, {"connections": 1000, "rooms": 1, "window": 8, "seconds": plan.seconds})


def small_rooms(plan: Plan) -> Runs:
    return alternated(plan, plan.rounds, {**SMALL_ROOMS, "rate": 2000, "warm_up": 2, "seconds": plan.seconds})


def quiet(plan: Plan) -> Runs:
    return alternated(plan, plan.rounds, {"connections": 100, "rooms": 10, "rate": 100, "seconds": max(plan.seconds, 3)})


def highest_rate(plan: Plan) -> Runs:
    """Rates that grow until one does not hold twice, and then twice the service's highest rate.

    A first round in large steps finds where the others begin.
    """
    runs: Runs = {"floor": [], "service": []}
    begins = dict.fromkeys(runs, SEARCH_BEGIN)
    for number in range(1 + plan.few_rounds):
        is_search = number == 0
        for name in runs:
            found = ramp(plan, name, begins[name], SEARCH_STEP if is_search else STEP)
            runs[name] += [{**run, "holds": holds(run), "search": is_search} for run in found]
            best = max((run["rate"] for run in found if holds(run)), default=begins[name] / SEARCH_STEP)
            begins[name] = best / SEARCH_STEP
    runs["overload"] = overload(plan, highest(runs["service"]))
    return runs


def holds(run: Run) -> bool:
    return run["missing"] == 0 and run["closed"] == 0 and run["latencyMs"]["p99"] <= LIMIT_MS


def ramp(plan: Plan, name: str, begin: float, step: float) -> list[Run]:
    load = {
        **SMALL_ROOMS, "rate": ",".join(f"{begin * step**number:.0f}" for number in range(30)), "limit_ms": LIMIT_MS,
        "warm_up": 0.5, "seconds": min(plan.seconds, 2), "drain": 5,
    }  # fmt: skip
    if name == "floor":
        with floor(plan.cores.server) as target:
            return chat_load(plan.cores.load, target, **load)
    with service((plan.cores.server,), plan.directory) as (target, _):
        return chat_load(plan.cores.load, target, **load)


def highest(runs: list[Run]) -> float:
    """Messages a second: the median over the rounds of the highest rate that held. A lower rate begins a round."""
    best: list[float] = []
    previous = float("inf")
    for run in runs:
        if run["search"]:
            continue
        if run["rate"] < previous:
            best.append(0)
        previous = run["rate"]
        if run["holds"]:
            best[-1] = max(best[-1], run["rate"])
    return median(best)


def overload(plan: Plan, rate: float) -> list[Run]:
    """At twice the rate: what is accepted, refused and lost, and how long the accepted messages take."""
    load = {**SMALL_ROOMS, "rate": f"{2 * max(rate, SEARCH_BEGIN):.0f}", "warm_up": 1, "seconds": plan.seconds, "drain": 10}
    runs: list[Run] = []
    for _ in range(plan.few_rounds):
        with service((plan.cores.server,), plan.directory) as (target, _server):
            runs += chat_load(plan.cores.load, target, **load)
    return runs


def loops(plan: Plan) -> Runs:
    """As many messages as the senders' windows allow, with one loop on one core and with two on two."""
    runs: Runs = {}
    for _ in range(plan.few_rounds):
        for count, cores in ((1, (plan.cores.server,)), (2, (plan.cores.server, plan.cores.second))):
            for name, load in (("rooms", SMALL_ROOMS), ("room", {"connections": 1000, "rooms": 1})):
                with service(cores, plan.directory) as (target, _):
                    found = chat_load(plan.cores.load, target, **load, window=4, seconds=plan.seconds)
                runs.setdefault(f"{name}-{count}", []).extend(found)
    return runs

