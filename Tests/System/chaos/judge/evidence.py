"""A broken promise, and the tables that several rules look things up in."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from chaos.history import Attempt, Disturbance, History, Stored


@dataclass
class Violation:
    what: str
    evidence: list[Any] = field(default_factory=list)
    promise: str = ""

    def __str__(self) -> str:
        return f"{self.promise}: {self.what}"


# A message, as a sender names it: room, user, client id.
Key = tuple[str, str, str]


def attempts_by_key(history: History) -> dict[Key, list[Attempt]]:
    """In the order in which they were sent."""
    found: dict[Key, list[Attempt]] = defaultdict(list)
    for attempt in sorted(history.attempts, key=lambda each: each.index):
        found[attempt.room, attempt.user, attempt.client_id].append(attempt)
    return found


def stored_by_room(history: History) -> dict[str, dict[int, Stored]]:
    found: dict[str, dict[int, Stored]] = defaultdict(dict)
    for each in history.final.stored:
        found[each.room][each.seq] = each
    return found


def messages(history: History) -> list[Stored]:
    """What is stored, without changes."""
    return [each for each in history.final.stored if each.kind == "message"]


def overlapping(
    history: History, kinds: dict[str, float], began: float, ended: float, instance: int | None
) -> list[Disturbance]:
    """Disturbances of the kinds that were, or had ended at most so many seconds before, while something was under way.

    `instance`: disturbances of other instances do not count; None counts all.
    """
    return [
        each
        for each in history.disturbances
        if each.kind in kinds
        and (instance is None or each.instance is None or each.instance == instance)
        and each.began_at <= ended
        and (each.ended_at is None or began <= each.ended_at + kinds[each.kind])
    ]
