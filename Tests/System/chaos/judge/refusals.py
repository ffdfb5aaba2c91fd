"""What clients were refused, left without an answer or cut off from, and whether a fault explains it."""

from typing import Iterator

from chaos.history import Attempt, Change, History, Request
from chaos.judge.evidence import Violation, overlapping

# Seconds for which a fault explains a refusal after it has ended: the driver finds its server again.
_STORE = {
    "kill_mongo": 15.0,
    "pause_mongo": 15.0,
    "lose_store_answers": 15.0,
    "cut_off_from_mongo": 15.0,
    "slow_mongo": 5.0,
    "busy_machine": 5.0,
}
# The instance that numbers a room is gone until its lease of 10 s ends; senders are refused after 5 s.
_SEQUENCER = {"kill_instance": 15.0, "pause_instance": 5.0, "pause_instance_past_lease": 5.0, "drain_instance": 5.0}
_EXPLANATIONS = {"storage_unavailable": _STORE | _SEQUENCER, "overloaded": _STORE | _SEQUENCER}
_REMOVED = {"not_joined", "forbidden", "not_found", "room_unavailable"}
# While any of these, an answer may take longer than the client waits.
_INSTANCE = {"kill_instance": 3.0, "pause_instance": 20.0, "pause_instance_past_lease": 20.0, "drain_instance": 3.0}


def only_explained(history: History) -> Iterator[Violation]:
    for each in [*history.attempts, *history.changes, *history.requests]:
        if each.outcome == "refused" and not _is_explained(history, each):
            yield Violation(f"{each.user} was refused {_name(each)} in {each.room} with {each.code}", [each])


def _is_explained(history: History, each: Attempt | Change | Request) -> bool:
    ended = each.ended_at if each.ended_at is not None else _began(each)
    if isinstance(each, Change) and each.code == "conflict":
        return any(message.is_deleted for message in history.final.stored if message.message_id == each.target)
    if each.code in _REMOVED:
        return _is_removed(history, each.room, each.user, _began(each), ended)
    return bool(overlapping(history, _EXPLANATIONS.get(each.code or "", {}), _began(each), ended, None))


def with_a_store(history: History) -> list[Attempt]:
    """Attempts that were refused for want of a store while no fault of it explains that."""
    return [
        each
        for each in history.attempts
        if each.code == "storage_unavailable"
        and not overlapping(history, _STORE, each.sent_at, each.ended_at or each.sent_at, None)
    ]


def _is_removed(history: History, room: str, user: str, began: float, ended: float) -> bool:
    """Whether the user was removed from the room. A removal counts from its call to some time after the user is added again,
    because the client joins anew then."""
    removals = [each.asked_at for each in history.requests if _concerns(each, "remove_participant", room, user)]
    additions = [
        each.ended_at
        for each in history.requests
        if _concerns(each, "add_participant", room, user) and each.outcome == "ok"
    ]
    for removed_at in removals:
        added_at = min((at for at in additions if at is not None and at > removed_at), default=float("inf"))
        if removed_at <= ended and began <= added_at + 20:
            return True
    return False


def _concerns(request: Request, kind: str, room: str, user: str) -> bool:
    return (request.kind, request.room, request.subject) == (kind, room, user)


def all_answered(history: History) -> Iterator[Violation]:
    """While the connection stands and the instance runs, every request is answered."""
    for each in [*history.attempts, *history.changes, *history.requests]:
        if each.outcome != "unanswered":
            continue
        ended = each.ended_at if each.ended_at is not None else _began(each)
        if not overlapping(history, _INSTANCE, _began(each), ended, each.instance):
            yield Violation(f"{each.user} got no answer to {_name(each)} in {each.room}", [each])


def connections_stay(history: History) -> Iterator[Violation]:
    for each in history.connections:
        if each.closed_by != "server" or each.closed_at is None:
            continue
        if not overlapping(history, _INSTANCE, each.closed_at, each.closed_at, each.instance):
            yield Violation(f"instance {each.instance} closed the connection of {each.client} with {each.code}", [each])


def nothing_odd(history: History) -> Iterator[Violation]:
    """A removed user is told so."""
    for each in history.oddities:
        rooms = {request.room for request in history.requests if request.subject == each.user}
        if each.code in _REMOVED and any(_is_removed(history, room, each.user, each.at, each.at) for room in rooms):
            continue
        yield Violation(f"{each.client}: {each.what}", [each])


def _began(each: Attempt | Change | Request) -> float:
    return each.asked_at if isinstance(each, Request) else each.sent_at


def _name(each: Attempt | Change | Request) -> str:
    return each.kind if isinstance(each, Request) else each.client_id
