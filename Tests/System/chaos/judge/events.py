"""Events for consumers: at least those that are owed, and none that is untrue."""

from collections import defaultdict
from typing import Iterator

from chaos.history import History
from chaos.judge.evidence import Violation, attempts_by_key, messages


def owed_are_published(history: History) -> Iterator[Violation]:
    """Every user whose join, or addition, was answered before a message was sent is among its receivers, unless removed."""
    published = {(event.message_id, event.receiver) for event in history.final.events}
    since = _participants_since(history)
    attempts = attempts_by_key(history)
    for message in messages(history):
        if message.is_deleted:
            # It may have been deleted before it was published.
            continue
        tries = attempts.get((message.room, message.user, message.client_id or ""))
        if not tries:
            continue
        sent_at = tries[0].sent_at
        for user, from_then in since[message.room].items():
            if user != message.user and from_then < sent_at and (message.message_id, user) not in published:
                evidence = [message, tries, f"{user} takes part since {from_then}"]
                yield Violation(f"no event for {user} about {message.seq} in {message.room}", evidence)


def _participants_since(history: History) -> dict[str, dict[str, float]]:
    """room → user → when the user was certainly a participant, and from then on to the end."""
    since: dict[str, dict[str, float]] = defaultdict(dict)
    last_removal: dict[tuple[str, str], float] = {}
    for request in history.requests:
        if request.kind == "remove_participant":
            end = request.ended_at if request.ended_at is not None and request.outcome != "unanswered" else float("inf")
            # A removal without an answer may take effect later.
            end = float("inf") if request.outcome == "lost" else end
            key = (request.room, request.subject)
            last_removal[key] = max(end, last_removal.get(key, 0))
    for room, users in history.founders.items():
        for user in users:
            if (room, user) not in last_removal:
                since[room][user] = -1
    for request in history.requests:
        if request.outcome != "ok" or request.kind not in ("join_room", "add_participant") or request.ended_at is None:
            continue
        user = request.subject if request.kind == "add_participant" else request.user
        if request.asked_at > last_removal.get((request.room, user), -1):
            since[request.room][user] = min(request.ended_at, since[request.room].get(user, float("inf")))
    return since


def published_are_true(history: History) -> Iterator[Violation]:
    stored = {each.message_id: each for each in history.final.stored}
    ever: dict[str, set[str]] = defaultdict(set)
    for room, users in history.founders.items():
        ever[room] |= set(users)
    for request in history.requests:
        if request.kind == "join_room":
            ever[request.room].add(request.user)
        elif request.kind == "add_participant":
            ever[request.room].add(request.subject)
    for event in history.final.events:
        message = stored.get(event.message_id)
        if message is None:
            yield Violation(f"an event about {event.message_id} in {event.room}, which is not stored", [event])
        elif (message.room, message.seq, message.user) != (event.room, event.seq, event.sender) or not (
            message.change_seq or message.text == event.text
        ):
            yield Violation(f"an event tells {event.message_id} otherwise than it is stored", [event, message])
        elif event.receiver == event.sender or event.receiver not in ever[event.room]:
            yield Violation(f"an event for {event.receiver}, to whom it is not owed", [event])
