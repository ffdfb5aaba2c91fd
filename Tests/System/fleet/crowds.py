"""Many clients on all instances of a fleet, and what is to hold for them afterwards."""

from support.fleet import Fleet
from support.talkers import Talker, check

CLIENTS = 20
ROOMS = 4


def crowd(fleet: Fleet, clients: int = CLIENTS, rooms: int = ROOMS, pause: float = 0.1) -> list[Talker]:
    """Clients on both instances; every room has some on each."""
    urls = fleet.urls
    return [
        Talker([urls[n % 2], urls[1 - n % 2]], f"user-{n}", f"room-{n // 2 % rooms}", pause) for n in range(clients)
    ]


def check_everywhere(fleet: Fleet, talkers: list[Talker]) -> None:
    """Everybody saw what every instance says the rooms hold."""
    for server in fleet.servers:
        check(server, talkers)


def lag(talkers: list[Talker]) -> dict[tuple[str, int], float]:
    """For each message, the seconds between the first and the last of its room to see it."""
    times: dict[tuple[str, int], list[float]] = {}
    for talker in talkers:
        for number, at in talker.seen_at.items():
            times.setdefault((talker.room, number), []).append(at)
    return {key: max(each) - min(each) for key, each in times.items()}
