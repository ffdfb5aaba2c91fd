"""What was found when everything was at rest."""

from collections import defaultdict
from typing import Any, Iterator

from chaos.history import History, Stored
from chaos.judge.evidence import Violation, attempts_by_key, messages, overlapping

READY_SECONDS = 60.0
# The store has to answer for an instance to start; it waits some seconds.
_STORE = {"kill_mongo": 5.0, "pause_mongo": 5.0, "lose_store_answers": 5.0, "cut_off_from_mongo": 5.0, "slow_mongo": 5.0}
_COULD_NOT_START = 1
# A sender's read mark may be written so much later than the message.
MARK_SECONDS = 10.0


def instances_live(history: History) -> Iterator[Violation]:
    """An instance ends by itself only when it cannot start, for its store is away."""
    for each in history.ends:
        could_not_start = each.exit_code == _COULD_NOT_START and "cannot start" in each.log
        if not could_not_start or not overlapping(history, _STORE, each.at - 10, each.at, each.instance):
            yield Violation(f"instance {each.instance} ended by itself with {each.exit_code}", [each])


def presence_is_true(history: History) -> Iterator[Violation]:
    """Sessions of each user, by every instance."""
    yield from _differences(history.final.sessions, history.final.expected_sessions, "sessions of {}")


def members_are_true(history: History) -> Iterator[Violation]:
    yield from _differences(_sorted(history.final.members), _sorted({"": history.final.expected_members})[""], "users in {}")


def keys_are_true(history: History) -> Iterator[Violation]:
    expected = _sorted({"": history.final.expected_keys})[""]
    yield from _differences(_sorted({"Redis": history.final.keys}), expected, "{}")


def participants_are_true(history: History) -> Iterator[Violation]:
    """Certain participants are listed, and users that were certainly removed, or never came, are not."""
    certain, possible = _participants(history)
    for source, rooms in history.final.participants.items():
        for room, listed in rooms.items():
            missing, extra = certain[room] - set(listed), set(listed) - possible[room]
            if missing or extra:
                what = f"{source}: participants of {room} lack {sorted(missing)} and exceed by {sorted(extra)}"
                yield Violation(what, [listed])


def _participants(history: History) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Users that have to be participants in the end, and users that may be."""
    certain: dict[str, set[str]] = defaultdict(set)
    possible: dict[str, set[str]] = defaultdict(set)
    for room, users in history.founders.items():
        certain[room] |= set(users)
        possible[room] |= set(users)
    for request in sorted(history.requests, key=lambda each: each.asked_at):
        user = request.subject if request.kind in ("add_participant", "remove_participant") else request.user
        if request.kind in ("join_room", "add_participant") and request.outcome != "refused":
            if request.kind == "add_participant" or request.room not in history.private_rooms:
                possible[request.room].add(user)
                if request.outcome == "ok":
                    certain[request.room].add(user)
        elif request.kind == "remove_participant":
            certain[request.room].discard(user)
            if request.outcome == "ok":
                possible[request.room].discard(user)
    return certain, possible


def pages_are_true(history: History) -> Iterator[Violation]:
    stored: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
    for each in sorted(messages(history), key=lambda each: each.seq):
        stored[each.room].append((each.seq, each.message_id, each.text))
    for instance, rooms in history.final.pages.items():
        for room, page in rooms.items():
            listed = [tuple(each) for each in page]
            if listed != stored[room]:
                extra, missing = sorted(set(listed) - set(stored[room])), sorted(set(stored[room]) - set(listed))
                what = f"{instance}: history of {room} lacks {len(missing)} and has {len(extra)} besides"
                yield Violation(what, [missing[:5], extra[:5]])


def read_marks_are_true(history: History) -> Iterator[Violation]:
    """At least what was acknowledged as read, or sent, which is to read; and at most what was ever asked for, or sent.

    An instance that is killed may lose the marks of messages that it stored last: they are written behind the messages.
    """
    least: dict[tuple[str, str], int] = defaultdict(int)
    most: dict[tuple[str, str], int] = defaultdict(int)
    for request in history.requests:
        if request.kind == "mark_read":
            key = (request.room, request.user)
            most[key] = max(most[key], request.subject)
            if request.outcome == "ok":
                least[key] = max(least[key], request.subject)
    attempts = attempts_by_key(history)
    for message in messages(history):
        key = (message.room, message.user)
        most[key] = max(most[key], message.seq)
        tries = attempts.get((*key, message.client_id or ""), [])
        ended = max((each.ended_at or each.sent_at for each in tries), default=0.0) + MARK_SECONDS
        kills = [each.began_at for each in history.disturbances if each.kind == "kill_instance"]
        if not any(tries and tries[0].sent_at <= killed_at <= ended for killed_at in kills):
            least[key] = max(least[key], message.seq)
    first = next(iter(history.final.read_marks.values()), {})
    for instance, rooms in history.final.read_marks.items():
        for room, marks in rooms.items():
            if marks != first.get(room):
                yield Violation(f"{instance} gives other read marks of {room} than another instance", [marks, first.get(room)])
            for key in {each for each in [*least, *most] if each[0] == room}:
                mark = marks.get(key[1], 0)
                if not least[key] <= mark <= most[key]:
                    what = f"{instance}: {key[1]} has read {room} up to {mark}, not {least[key]} to {most[key]}"
                    yield Violation(what)


def listings_are_true(history: History) -> Iterator[Violation]:
    """Each user's rooms, with their last messages and the number of unread ones: messages of others after the last read one.

    Where the mark of a sender is lost, the messages of that sender count as unread too.
    """
    entries: dict[str, list[Stored]] = defaultdict(list)
    for each in history.final.stored:
        entries[each.room].append(each)
    certain, _ = _participants(history)
    for user, rooms in history.final.listings.items():
        for room in history.owners:
            if user in certain[room] and room not in rooms:
                yield Violation(f"{user} is not told of {room}")
        for room, (last, last_message, read, unread) in rooms.items():
            sent = [each for each in entries[room] if each.kind == "message"]
            newest = max((each.seq for each in entries[room]), default=0)
            shown = {max((each.seq for each in list), default=0) for list in (sent, [each for each in sent if not each.is_deleted])}
            missed = sum(each.seq > read and each.user != user and not each.is_deleted for each in sent)
            after = sum(each.seq > read for each in entries[room])
            if last != newest or last_message not in shown or not missed <= unread <= after:
                what = f"{user} is told that {room} is at {last}, {last_message} with {unread} unread after {read}"
                yield Violation(f"{what}, not at {newest} with {missed}")


def last_messages_are_true(history: History) -> Iterator[Violation]:
    """What other programs read of a room in the store."""
    newest: dict[str, int] = defaultdict(int)
    for each in messages(history):
        newest[each.room] = max(newest[each.room], each.seq)
    for room, seq in history.final.last_messages.items():
        if seq != newest[room]:
            yield Violation(f"the last message of {room} in the store is {seq}, not {newest[room]}")


def ready_in_time(history: History) -> Iterator[Violation]:
    for instance, seconds in history.final.ready_after.items():
        if seconds is None or seconds > READY_SECONDS:
            yield Violation(f"{instance} was not ready within {READY_SECONDS:.0f} s", [seconds])


def rest_in_time(history: History) -> Iterator[Violation]:
    for what, seconds in history.final.rest_after.items():
        if seconds is None:
            yield Violation(f"{what}: not within the time limit", [history.final.last_left.get(what, [])])


def _differences(found: dict[str, dict[str, Any]], expected: dict[str, Any], name: str) -> Iterator[Violation]:
    for source, values in found.items():
        for key, value in expected.items():
            if values.get(key) != value:
                yield Violation(f"{source}: {name.format(key)}: {values.get(key)}, not {value}")


def _sorted(lists: dict[str, dict[str, list[str]]]) -> dict[str, dict[str, list[str]]]:
    return {source: {key: sorted(values) for key, values in each.items()} for source, each in lists.items()}
