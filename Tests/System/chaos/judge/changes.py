"""Edits, deletions and reactions: what was acknowledged, what the store holds, and what members see."""

from collections import defaultdict
from typing import Any, Iterator

from chaos.history import Change, History, Stored
from chaos.judge.evidence import Violation, messages


def acknowledged_are_stored(history: History) -> Iterator[Violation]:
    """Under the number that was acknowledged, and each once. The edits of a message that is deleted are deletions."""
    by_number = {(each.room, each.seq): each for each in history.final.stored}
    acked: dict[tuple[str, str, str], set[int | None]] = defaultdict(set)
    for change in history.changes:
        if change.outcome != "acked":
            continue
        acked[change.room, change.user, change.client_id].add(change.seq)
        found = by_number.get((change.room, change.seq or 0))
        kinds = {change.kind, "deleted"} if change.kind == "edited" else {change.kind}
        if found is None or found.kind not in kinds or (found.target, found.user) != (change.target, change.user):
            yield Violation(f"{change.client_id} in {change.room} was acknowledged as {change.seq}", [change, found])
    for key, numbers in acked.items():
        if len(numbers) > 1:
            yield Violation(f"{key} was acknowledged under several numbers", [numbers])


def messages_show_their_changes(history: History) -> Iterator[Violation]:
    """A deleted message has no text, another one that of its last edit."""
    attempts: dict[Any, Change] = {(each.room, each.user, each.client_id): each for each in history.changes}
    last: dict[str, Stored] = {}
    deleted = set()
    for entry in sorted(history.final.stored, key=lambda each: each.seq):
        if entry.kind == "edited" and entry.target:
            last[entry.target] = entry
        elif entry.kind == "deleted" and entry.target:
            deleted.add(entry.target)
    for message in messages(history):
        edit = last.get(message.message_id)
        if message.message_id in deleted:
            if not message.is_deleted or message.text or message.reactions:
                yield Violation(f"{message.seq} in {message.room} was deleted and is not", [message])
        elif edit is not None:
            change = attempts.get((edit.room, edit.user, edit.client_id))
            if change is None or change.text != message.text:
                yield Violation(f"{message.seq} in {message.room} has not the text of its last edit", [message, edit, change])


def deletions_are_real(history: History) -> Iterator[Violation]:
    for text in history.final.leftovers:
        yield Violation(f"the text of a deleted message is left: {text}")


def members_see_messages_as_they_are(history: History) -> Iterator[Violation]:
    stored = {each.message_id: each for each in messages(history)}
    for client, rooms in history.final.views.items():
        for room, view in rooms.items():
            for id, (text, is_deleted, reactions) in view.items():
                message = stored.get(id)
                found = None if message is None else [message.text, message.is_deleted, message.reactions]
                if found != [text, is_deleted, reactions]:
                    what = f"{client} has {id} in {room} otherwise than it is stored"
                    yield Violation(what, [[text, is_deleted, reactions], message])


def resumes_bring_what_changed(history: History) -> Iterator[Violation]:
    """A join with `since` shows each message up to that number that has changed after it."""
    numbers = {each.message_id: each.seq for each in messages(history)}
    changes: dict[str, list[Stored]] = defaultdict(list)
    for each in history.final.stored:
        if each.kind != "message":
            changes[each.room].append(each)
    for membership in history.memberships:
        since = membership.since
        if since is None or membership.resync:
            continue
        for change in changes[membership.room]:
            number = numbers.get(change.target or "", 0)
            if since < change.seq <= membership.last_seq and 0 < number <= since and number not in membership.changed:
                what = f"{membership.client} resumed {membership.room} after {since} of {membership.last_seq}"
                yield Violation(f"{what} and was not shown that {number} has changed", [change, membership.changed])
