"""What a run does and when: a pure function of its seed and size."""

import random
from dataclasses import dataclass, field
from typing import Sequence

FRAMINGS = ("event", "type", "socketio")


@dataclass(frozen=True)
class Kind:
    """One kind of fault."""

    name: str
    # What it disturbs: "instance", "link" (an instance's connections to Redis), "store link", "redis", "sentinel",
    # "mongo" or "broker".
    # One resource has one fault at a time.
    resource: str
    # Seconds it lasts: the least and the most.
    lasts: tuple[float, float]
    weight: int = 2
    # Only where sentinels watch Redis.
    needs_sentinels: bool = False


# The lease of an instance is 10 s.
KINDS = (
    Kind("kill_instance", "instance", (0.5, 14), weight=4),
    Kind("pause_instance", "instance", (0.5, 6), weight=3),
    Kind("pause_instance_past_lease", "instance", (12, 17), weight=3),
    Kind("drain_instance", "instance", (0.2, 3)),
    Kind("lose_publications", "link", (4, 15), weight=4),
    Kind("delay_publications", "link", (4, 12), weight=4),
    Kind("cut_off_from_redis", "link", (1, 15), weight=3),
    Kind("silence_redis", "link", (2, 15), weight=3),
    Kind("slow_redis", "link", (3, 12)),
    Kind("flush_redis", "redis", (0, 0), weight=3),
    Kind("kill_redis", "redis", (0.2, 12), weight=3),
    Kind("pause_redis", "redis", (1, 14)),
    Kind("fail_over", "redis", (0, 0), weight=4, needs_sentinels=True),
    Kind("kill_sentinel", "sentinel", (1, 12), needs_sentinels=True),
    Kind("kill_broker", "broker", (1, 10)),
    Kind("pause_broker", "broker", (1, 10)),
    Kind("kill_mongo", "mongo", (0.5, 8)),
    Kind("pause_mongo", "mongo", (0.5, 8)),
    Kind("lose_store_answers", "store link", (3, 10), weight=4),
    Kind("cut_off_from_mongo", "store link", (1, 8)),
    Kind("slow_mongo", "store link", (3, 12), weight=3),
)
PER_INSTANCE = {"instance", "link", "store link"}


@dataclass(frozen=True)
class Fault:
    kind: str
    resource: str
    instance: int | None
    # Seconds after the start of the run.
    begins: float
    ends: float
    # Of 1: how many publications, or answers, are lost; or the delay in seconds.
    amount: float


@dataclass(frozen=True)
class Command:
    at: float
    kind: str
    room: str
    # Messages of a burst, seconds of a pause, the number of another instance: as the kind needs it.
    amount: float = 0
    instance: int = 0


@dataclass(frozen=True)
class ClientPlan:
    name: str
    user: str
    framing: str
    instance: int
    rooms: tuple[str, ...]
    ends_online: bool
    commands: tuple[Command, ...]


@dataclass(frozen=True)
class RoomPlan:
    name: str
    is_private: bool
    owner: str
    participants: tuple[str, ...]


@dataclass(frozen=True)
class Size:
    seconds: float = 60
    instances: int = 3
    clients: int = 18
    rooms: int = 6
    # Commands a second of all clients together.
    rate: float = 12
    # Seconds between the beginnings of two faults: the least and the most.
    fault_gap: tuple[float, float] = (2, 9)
    # Multiplies how long each fault lasts.
    fault_scale: float = 1
    # Kinds of faults by name; all when empty.
    kinds: tuple[str, ...] = ()
    # Whether Redis is a primary and a replica, watched by sentinels.
    sentinels: bool = False


@dataclass(frozen=True)
class Plan:
    seed: int
    size: Size
    rooms: tuple[RoomPlan, ...]
    clients: tuple[ClientPlan, ...]
    faults: tuple[Fault, ...] = field(default=())


def make_plan(seed: int, size: Size = Size()) -> Plan:
    """The same plan for the same seed and size."""
    users = _users(size)
    rooms = _rooms(random.Random(f"{seed}/rooms"), size, users)
    clients = tuple(_client(seed, size, number, user, rooms) for number, user in enumerate(users))
    return Plan(seed, size, rooms, clients, _faults(random.Random(f"{seed}/faults"), size))


def _users(size: Size) -> list[str]:
    """Every fourth client is the second device of the user before."""
    return [f"user-{number - 1 if number % 4 == 3 else number}" for number in range(size.clients)]


def _rooms(chance: random.Random, size: Size, users: Sequence[str]) -> tuple[RoomPlan, ...]:
    """All users are in the first room. Every third room is private; its owner removes and adds participants."""
    everyone = sorted(set(users))
    rooms = []
    for number in range(size.rooms):
        count = len(everyone) if number == 0 else chance.randint(3, max(3, len(everyone) // 2))
        members = chance.sample(everyone, min(count, len(everyone)))
        is_private = number % 3 == 2
        name = f"{'private' if is_private else 'open'}-{number}"
        rooms.append(RoomPlan(name, is_private, members[0], tuple(members)))
    return tuple(rooms)


def _client(seed: int, size: Size, number: int, user: str, rooms: Sequence[RoomPlan]) -> ClientPlan:
    chance = random.Random(f"{seed}/client/{number}")
    theirs = [room for room in rooms if user in room.participants]
    return ClientPlan(
        name=f"client-{number}",
        user=user,
        framing=FRAMINGS[number % len(FRAMINGS)],
        instance=chance.randrange(size.instances),
        rooms=tuple(room.name for room in theirs),
        ends_online=number % 5 != 4,
        commands=tuple(_commands(chance, size, user, theirs)),
    )


_COMMANDS = {
    "send": 46,
    "burst": 10,
    "send_over_rest": 5,
    "repeat": 12,
    "leave": 4,
    "move": 5,
    "break": 3,
    "read": 9,
    "status": 2,
    "expel": 4,
    "edit": 8,
    "delete": 2,
    "react": 10,
}


def _commands(chance: random.Random, size: Size, user: str, rooms: Sequence[RoomPlan]):
    owned = [room.name for room in rooms if room.is_private and room.owner == user and len(room.participants) > 1]
    at, kinds = 0.0, list(_COMMANDS)
    while True:
        at += chance.expovariate(size.rate / size.clients)
        if at >= size.seconds:
            return
        kind = chance.choices(kinds, list(_COMMANDS.values()))[0]
        room = chance.choice(rooms).name
        instance = chance.randrange(size.instances)
        if kind == "expel":
            if not owned:
                continue
            room = chance.choice(owned)
        amount = {"burst": chance.randint(2, 5), "break": chance.uniform(0.1, 6)}.get(kind, chance.random())
        yield Command(round(at, 3), kind, room, amount, instance)


def _faults(chance: random.Random, size: Size) -> tuple[Fault, ...]:
    possible = [kind for kind in KINDS if size.sentinels or not kind.needs_sentinels]
    kinds = [kind for kind in possible if not size.kinds or kind.name in size.kinds]
    unknown = set(size.kinds) - {kind.name for kind in possible}
    if unknown:
        raise ValueError(f"no such faults: {', '.join(sorted(unknown))}")
    faults: list[Fault] = []
    free_at: dict[tuple[str, int | None], float] = {}
    at = 2.0
    while kinds:
        at += chance.uniform(*size.fault_gap)
        if at >= size.seconds - 1:
            break
        kind = chance.choices(kinds, [each.weight for each in kinds])[0]
        instance = chance.randrange(size.instances) if kind.resource in PER_INSTANCE else None
        lasts = chance.uniform(*kind.lasts) * size.fault_scale
        amount = chance.uniform(0.3, 1)
        if free_at.get((kind.resource, instance), 0) > at:
            continue
        # A server needs a while to be back, and what a fault of it shows needs a while to be seen.
        free_at[kind.resource, instance] = at + lasts + 3
        faults.append(Fault(kind.name, kind.resource, instance, round(at, 3), round(at + lasts, 3), round(amount, 3)))
    return tuple(faults)
