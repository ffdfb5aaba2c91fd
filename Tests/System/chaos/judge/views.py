"""What each member saw of a room: the store's messages in order, after everything it had before."""

from typing import Iterator

from chaos.history import History, Membership, Stored
from chaos.judge.evidence import Violation, stored_by_room

# Messages that a join brings without `since`, and the most that it brings with it.
HISTORY_LENGTH = 50
MOST_RESUMED = 1000


def in_order(history: History) -> Iterator[Violation]:
    stored = stored_by_room(history)
    for membership in history.memberships:
        expected = _first(membership)
        for seq, id, text, at in membership.seen:
            what = f"{membership.client} in {membership.room}"
            # The history of a join holds messages only.
            while expected is not None and expected < min(seq, membership.last_seq + 1) and _is_change(stored, membership, expected):
                expected += 1
            if expected is not None and seq != expected:
                yield Violation(f"{what} got {seq} where {expected} was due", [_brief(membership, seq), at])
                break
            message = stored[membership.room].get(seq)
            is_as_stored = message is not None and (
                message.target == id
                if message.target
                else message.message_id == id and (message.change_seq or message.text == text)
            )
            if not is_as_stored:
                yield Violation(f"{what} got {seq} otherwise than it is stored", [(seq, id, text, at), message])
                break
            expected = seq + 1


def _is_change(stored: dict[str, dict[int, Stored]], membership: Membership, seq: int) -> bool:
    entry = stored[membership.room].get(seq)
    return entry is not None and entry.kind != "message"


def _first(membership: Membership) -> int | None:
    """The number that is due first; None when any may be."""
    if membership.resync:
        return None
    if membership.since is not None:
        return membership.since + 1
    return 1 if membership.last_seq <= HISTORY_LENGTH else None


def complete(history: History) -> Iterator[Violation]:
    """Members that are there in the end have seen the last message."""
    stored = stored_by_room(history)
    for membership in history.memberships:
        if membership.left_at is not None or not stored[membership.room]:
            continue
        newest = max(stored[membership.room])
        last = max(membership.seen[-1][0] if membership.seen else membership.since or 0, membership.last_seq)
        if last < newest:
            yield Violation(f"{membership.client} in {membership.room} saw {last} of {newest}", [_brief(membership, last)])


def no_resync(history: History) -> Iterator[Violation]:
    """A client that names a message it received, and misses few, is not told to load the room again."""
    for membership in history.memberships:
        if membership.resync and membership.last_seq - (membership.since or 0) <= MOST_RESUMED:
            what = f"{membership.client} resumed {membership.room} after {membership.since} of {membership.last_seq}"
            yield Violation(f"{what} and was told to resync", [_brief(membership, 0)])


def _brief(membership: Membership, around: int) -> dict:
    """The membership without the bulk of what it saw."""
    near = [each for each in membership.seen if abs(each[0] - around) <= 3]
    return {**{key: value for key, value in vars(membership).items() if key != "seen"}, "seen near": near}
