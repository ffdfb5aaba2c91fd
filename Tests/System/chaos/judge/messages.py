"""What was acknowledged, and what the store holds."""

from collections import defaultdict
from typing import Iterator

from chaos.history import Attempt, History, Request
from chaos.judge.evidence import Violation, attempts_by_key, overlapping, stored_by_room

# An instance that alone has lost Redis cannot reach the others. It tells them when it is back (ADR 19), within a renewal of
# its lease and a time limit of its connection.
_ALONE = {"silence_redis": 10.0, "cut_off_from_redis": 10.0, "pause_instance": 10.0, "pause_instance_past_lease": 10.0}


def acknowledged_are_stored(history: History) -> Iterator[Violation]:
    stored = {each.message_id: each for each in history.final.stored}
    for attempt in history.attempts:
        if attempt.outcome != "acked":
            continue
        found = stored.get(attempt.message_id or "")
        if found is None:
            what = f"{attempt.client_id} in {attempt.room} was acknowledged as {attempt.seq} and is not stored"
            yield Violation(what, [attempt])
        elif (found.room, found.seq, found.user, found.client_id) != (
            attempt.room, attempt.seq, attempt.user, attempt.client_id,
        ) or not (found.change_seq or found.text == attempt.text):  # fmt: skip
            yield Violation(f"{attempt.client_id} in {attempt.room} is stored otherwise than acknowledged", [attempt, found])


def stored_once(history: History) -> Iterator[Violation]:
    by_key = defaultdict(list)
    for each in history.final.stored:
        if each.client_id is not None:
            by_key[each.room, each.user, each.client_id].append(each)
    for key, copies in by_key.items():
        if len(copies) > 1:
            yield Violation(f"{key} is stored {len(copies)} times", copies)


def only_sent_are_stored(history: History) -> Iterator[Violation]:
    sent = {(key, attempt.text) for key, attempts in attempts_by_key(history).items() for attempt in attempts}
    keys = {key for key, _ in sent} | {(each.room, each.user, each.client_id) for each in history.changes}
    for each in history.final.stored:
        key = (each.room, each.user, each.client_id)
        if key not in keys if each.change_seq or each.kind != "message" else (key, each.text) not in sent:
            yield Violation(f"{each.message_id} in {each.room} was sent by no client", [each])


def sender_order_is_kept(history: History) -> Iterator[Violation]:
    """Of two messages of one client in one room, the first has the lower number when it was acknowledged before the second
    was sent, and when the same connection carried both, the first attempts of each were acknowledged, and in that order."""
    by_sender: dict[tuple[str, str], list[list[Attempt]]] = defaultdict(list)
    for (room, _, _), attempts in attempts_by_key(history).items():
        by_sender[attempts[0].client, room].append(attempts)
    for messages in by_sender.values():
        # Acknowledged before a later one was sent.
        acked = [(min(acks, key=_ended), attempts[0]) for attempts in messages if (acks := _acks(attempts))]
        starts = sorted(acked, key=lambda each: each[1].index)
        ends = sorted(acked, key=lambda each: _ended(each[0]))
        highest, taken = None, 0
        for ack, first in starts:
            while taken < len(ends) and _ended(ends[taken][0]) < first.sent_at:
                candidate = ends[taken][0]
                if highest is None or (candidate.seq or 0) > (highest.seq or 0):
                    highest = candidate
                taken += 1
            if highest is not None and (highest.seq or 0) > (ack.seq or 0):
                yield Violation(f"{ack.client_id} in {ack.room} overtook {highest.client_id}", [highest, ack])
        yield from _order_on_one_connection(messages)


def _order_on_one_connection(messages: list[list[Attempt]]) -> Iterator[Violation]:
    by_connection: dict[int, list[Attempt]] = defaultdict(list)
    for attempts in messages:
        first = attempts[0]
        if first.outcome == "acked" and not first.is_duplicate and first.connection is not None:
            by_connection[first.connection].append(first)
    for firsts in by_connection.values():
        firsts.sort(key=lambda each: each.index)
        for before, after in zip(firsts, firsts[1:]):
            if (before.seq or 0) > (after.seq or 0):
                yield Violation(f"{after.client_id} in {after.room} overtook {before.client_id}", [before, after])


def _ended(attempt: Attempt) -> float:
    return attempt.ended_at or attempt.sent_at


def _acks(attempts: list[Attempt]) -> list[Attempt]:
    return [each for each in attempts if each.outcome == "acked"]


def numbers_have_no_holes(history: History) -> Iterator[Violation]:
    numbers: dict[str, list[int]] = defaultdict(list)
    for each in history.final.stored:
        numbers[each.room].append(each.seq)
    for room, given in numbers.items():
        given.sort()
        for index, seq in enumerate(given):
            if seq != index + 1:
                yield Violation(f"{room} holds {seq} where {index + 1} is due", given[max(0, index - 3) : index + 3])
                break


def repeats_are_answered_alike(history: History) -> Iterator[Violation]:
    """All acknowledgements of a message name the same message, and at most one of them says that it is new."""
    for key, attempts in attempts_by_key(history).items():
        acks = _acks(attempts)
        if len({(each.message_id, each.seq) for each in acks}) > 1:
            yield Violation(f"{key} was acknowledged under several numbers", acks)
        if sum(not each.is_duplicate for each in acks) > 1:
            yield Violation(f"{key} was acknowledged as new more than once", acks)


def removed_users_are_out(history: History) -> Iterator[Violation]:
    """From the moment a removal is in force until the user is added again, no instance serves the user, or takes anything."""
    stored = stored_by_room(history)
    first_sent: dict[tuple[str, str | None], float] = {}
    for attempt in history.attempts:
        key = (attempt.room, attempt.client_id)
        first_sent[key] = min(attempt.sent_at, first_sent.get(key, attempt.sent_at))
    for room, user, began, ended in _absences(history):
        for attempt in history.attempts:
            is_theirs = attempt.room == room and attempt.user == user and attempt.outcome == "acked"
            if is_theirs and not attempt.is_duplicate and began < attempt.sent_at and (attempt.ended_at or ended) < ended:
                yield Violation(f"{user} was removed from {room} and sent to it", [attempt, (began, ended)])
        for membership in history.memberships:
            if membership.room != room or membership.user != user:
                continue
            for seq, id, _, at in membership.seen:
                message = stored[room].get(seq)
                sent_at = first_sent.get((room, message.client_id)) if message else None
                if sent_at is not None and began < sent_at and at < ended:
                    yield Violation(f"{user} was removed from {room} and got {seq}", [(began, ended), (seq, id, sent_at, at)])


def _absences(history: History) -> Iterator[tuple[str, str, float, float]]:
    """Room, user, from the moment a removal is in force to the next attempt to add the user."""
    removals = [each for each in history.requests if each.kind == "remove_participant" and each.outcome == "ok"]
    adding = [each for each in history.requests if each.kind == "add_participant"]
    for removal in removals:
        assert removal.ended_at is not None
        later = [
            each.asked_at
            for each in adding
            if (each.room, each.subject) == (removal.room, removal.subject) and each.asked_at >= removal.ended_at
        ]
        yield removal.room, removal.subject, _in_force_at(history, removal), min(later, default=float("inf"))


def _in_force_at(history: History, removal: Request) -> float:
    """With the answer; later where the instance that answered was cut off from the others."""
    assert removal.ended_at is not None
    at = removal.ended_at
    is_alone = overlapping(history, {"silence_redis": 5.0, "cut_off_from_redis": 5.0}, removal.asked_at, at, removal.instance)
    if not is_alone:
        return at
    for fault in sorted(history.disturbances, key=lambda each: each.began_at):
        if fault.kind in _ALONE and fault.instance == removal.instance and fault.began_at <= at:
            at = max(at, (fault.ended_at or float("inf")) + _ALONE[fault.kind])
    return at
