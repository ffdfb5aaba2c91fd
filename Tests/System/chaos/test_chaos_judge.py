"""The judge accepts a run that kept every promise, and finds each promise broken: no rule that cannot fail."""

from pathlib import Path
from typing import Callable

import pytest

from chaos.history import (
    Attempt, Change, Connection, Disturbance, End, Event, Final, History, Membership, Oddity, Request, Stored,
)  # fmt: skip
from chaos.judge import PROMISES, judge
from chaos.report import figures, verdict

ROOM, PRIVATE = "open-0", "private-2"


def good() -> History:
    """Alice and Ben on two instances: three messages of Alice's, one of them sent twice, and a private room of hers."""
    history = History(seed=1, owners={ROOM: "alice", PRIVATE: "alice"}, private_rooms=[PRIVATE])
    history.founders = {ROOM: ["alice", "ben"], PRIVATE: ["alice", "ben"]}
    history.connections = [Connection(0, "a", "alice", 0, 0.1), Connection(1, "b", "ben", 1, 0.1)]
    for number in (1, 2, 3):
        history.attempts.append(sent(history, number, 10.0 * number))
    history.attempts.append(sent(history, 2, 25.0, is_duplicate=True, connection=None, instance=1))
    history.final = Final(stored=[stored(ROOM, number) for number in (1, 2, 3)])
    seen = [(number, f"id-{ROOM}-{number}", f"text {number}", 10.0 * number + 1) for number in (1, 2, 3)]
    history.memberships = [
        Membership(0, "a", "alice", 0, ROOM, None, 1.0, seen=list(seen)),
        Membership(1, "b", "ben", 1, ROOM, None, 1.0, left_at=15.0, seen=seen[:1]),
        Membership(1, "b", "ben", 1, ROOM, 1, 16.0, last_seq=1, seen=seen[1:]),
    ]
    history.requests = [
        Request("b", "ben", 1, 1, "join_room", ROOM, 1.0, None, 1.1, "ok"),
        Request("b", "ben", 1, 1, "mark_read", ROOM, 40.0, 2, 40.1, "ok"),
    ]
    final = history.final
    final.events = [Event(f"id-{ROOM}-{number}", ROOM, number, "alice", "ben", f"text {number}") for number in (1, 2, 3)]
    final.sessions = {"instance-0": {"alice": 1, "ben": 1}, "instance-1": {"alice": 1, "ben": 1}}
    final.expected_sessions = {"alice": 1, "ben": 1}
    final.members, final.expected_members = {"instance-0": {ROOM: ["ben", "alice"]}}, {ROOM: ["alice", "ben"]}
    final.keys, final.expected_keys = {"online_users": ["alice", "ben"]}, {"online_users": ["alice", "ben"]}
    final.participants = {"store": {ROOM: ["alice", "ben"], PRIVATE: ["alice", "ben"]}}
    final.pages = {"instance-1": {ROOM: [(number, f"id-{ROOM}-{number}", f"text {number}") for number in (1, 2, 3)]}}
    final.read_marks = {"instance-0": {ROOM: {"alice": 3, "ben": 2}}}
    final.listings = {"alice": {ROOM: [3, 3, 3, 0], PRIVATE: [0, 0, 0, 0]}, "ben": {ROOM: [3, 3, 2, 1], PRIVATE: [0, 0, 0, 0]}}
    final.last_messages = {ROOM: 3}
    final.ready_after = {"instance-0": 1.0}
    final.rest_after = {"all messages are acknowledged": 1.0}
    return history


def sent(history: History, number: int, at: float, **fields) -> Attempt:
    values = {
        "index": len(history.attempts), "client": "a", "user": "alice", "connection": 0, "instance": 0, "room": ROOM,
        "client_id": f"a-{number}", "text": f"text {number}", "sent_at": at, "ended_at": at + 0.1, "outcome": "acked",
        "message_id": f"id-{ROOM}-{number}", "seq": number,
    }  # fmt: skip
    return Attempt(**(values | fields))


def stored(room: str, number: int, **fields) -> Stored:
    values = {"message_id": f"id-{room}-{number}", "room": room, "seq": number, "user": "alice"}
    return Stored(**(values | {"client_id": f"a-{number}", "text": f"text {number}"} | fields))


def changed(history: History) -> History:
    """Alice edits the first message and deletes the second; Ben sees the one live and resumes for the other."""
    final = history.final
    for seq, number, kind, text in ((4, 1, "edited", "new"), (5, 2, "deleted", "")):
        target = f"id-{ROOM}-{number}"
        values = (0, "a", "alice", 0, 0, ROOM, f"a-change-{seq}", kind, target, text, 35.0)
        history.changes.append(Change(*values, ended_at=35.1, outcome="acked", seq=seq))
        final.stored.append(Stored(f"change-{seq}", ROOM, seq, "alice", f"a-change-{seq}", "", kind, target))
        final.stored[number - 1].text, final.stored[number - 1].change_seq = text, seq
        final.pages["instance-1"][ROOM][number - 1] = (number, target, text)
        history.memberships[0].seen.append((seq, target, "", 36.0))
    final.stored[1].is_deleted = True
    history.memberships[2].seen.append((4, f"id-{ROOM}-1", "", 36.0))
    history.memberships[2].left_at = 36.5
    history.memberships.append(Membership(1, "b", "ben", 1, ROOM, 4, 37.0, last_seq=5, changed=[2]))
    final.listings = {"alice": {ROOM: [5, 3, 3, 0], PRIVATE: [0, 0, 0, 0]}, "ben": {ROOM: [5, 3, 2, 1], PRIVATE: [0, 0, 0, 0]}}
    final.views = {"b": {ROOM: {f"id-{ROOM}-1": ["new", False, {}], f"id-{ROOM}-2": ["", True, {}]}}}
    return history


def test_changes_that_kept_every_promise():
    assert judge(changed(good())) == []


def test_a_change_of_a_deleted_message_is_refused():
    history = changed(good())
    values = (0, "b", "ben", 1, 1, ROOM, "b-change-1", "reaction", f"id-{ROOM}-2", "x", 40.0)
    history.changes.append(Change(*values, ended_at=40.1, outcome="refused", code="conflict", is_retryable=False))
    assert judge(history) == []
    history.changes[-1].target = f"id-{ROOM}-1"
    assert [each.promise for each in judge(history)] == ["nothing is refused without a reason"]


def test_a_run_that_kept_every_promise():
    assert judge(good()) == []
    assert "kept" in verdict(good(), []) and "3 messages stored" in figures(good())


# What breaks each promise. A promise without an entry here fails `test_each_promise_is_seen_to_break`.

Break = Callable[[History], object]


def _lose_the_last(history: History) -> None:
    """The store, and all that is read from it, lacks the last message, which was acknowledged."""
    history.final.stored.pop()


def _answer_the_repeat_otherwise(history: History) -> None:
    history.attempts[3].seq = 4


def _acknowledge_twice_as_new(history: History) -> None:
    history.attempts[3].is_duplicate = False


def _overtake_the_acknowledged(history: History) -> None:
    """The second message was sent after the first one's acknowledgement, and got the lower number."""
    history.attempts[0].seq, history.attempts[1].seq = 2, 1


def _overtake_on_one_connection(history: History) -> None:
    """Both were sent before the first was acknowledged."""
    _overtake_the_acknowledged(history)
    history.attempts[0].ended_at = history.attempts[1].ended_at = 50.0


def _number_with_a_hole(history: History) -> None:
    history.final.stored[2].seq = 4


def _number_twice(history: History) -> None:
    history.final.stored[2].seq = 2


def _remove(history: History, room: str = PRIVATE, until: float = 60.0) -> None:
    history.requests += [
        Request("alice", "alice", None, 0, "remove_participant", room, 45.0, "ben", 46.0, "ok"),
        Request("alice", "alice", None, 0, "add_participant", room, until, "ben", until + 1, "ok"),
    ]


def _take_from_the_removed(history: History) -> None:
    _remove(history)
    history.attempts.append(sent(history, 1, 50.0, room=PRIVATE, user="ben", client="b", message_id=f"id-{PRIVATE}-1"))
    history.final.stored.append(stored(PRIVATE, 1, user="ben"))


def _serve_the_removed(history: History) -> None:
    _remove(history)
    history.attempts.append(sent(history, 1, 50.0, room=PRIVATE, message_id=f"id-{PRIVATE}-1"))
    history.final.stored.append(stored(PRIVATE, 1))
    seen = [(1, f"id-{PRIVATE}-1", "text 1", 51.0)]
    history.memberships.append(Membership(1, "b", "ben", 1, PRIVATE, None, 2.0, seen=seen))


def _see_otherwise(history: History) -> None:
    history.memberships[2].seen[1] = (3, "another", "text 3", 31.0)


def _refuse(history: History, code: str = "storage_unavailable", at: float = 30.0) -> None:
    history.attempts.append(sent(history, 4, at, outcome="refused", code=code, message_id=None, seq=None))


def _refuse_while_a_publication_is_lost(history: History) -> None:
    history.disturbances.append(Disturbance("lose_publications", 0, 29.0, 31.0))
    _refuse(history)


def _refuse_another_user_than_the_removed(history: History) -> None:
    _remove(history)
    history.attempts.append(sent(history, 4, 50.0, room=PRIVATE, outcome="refused", code="forbidden"))


def _refuse_long_after_the_user_is_back(history: History) -> None:
    _remove(history)
    history.requests.append(Request("b", "ben", 1, 1, "join_room", PRIVATE, 90.0, None, 90.1, "refused", "forbidden"))


def _leave_unanswered(history: History) -> None:
    history.disturbances.append(Disturbance("pause_instance", 1, 29.0, 31.0))
    history.attempts.append(sent(history, 4, 30.0, outcome="unanswered", ended_at=50.0))


def _close_the_connection(history: History) -> None:
    history.disturbances.append(Disturbance("kill_instance", 1, 29.0, 31.0))
    history.connections[0].closed_at, history.connections[0].closed_by = 30.0, "server"


def _end_while_the_store_is_away(history: History) -> None:
    history.disturbances.append(Disturbance("kill_mongo", None, 10.0, 19.0))
    history.ends.append(End(1, 20.0, -11, "cannot start"))


BREAKS: list[tuple[str, Break]] = [
    ("instances live", lambda h: h.ends.append(End(1, 20.0, -5, "Fatal error"))),
    ("instances live", lambda h: h.ends.append(End(1, 20.0, 1, "cannot start: MongoDB"))),
    ("instances live", _end_while_the_store_is_away),
    ("acknowledged messages are stored", _lose_the_last),
    ("acknowledged messages are stored", lambda h: setattr(h.final.stored[0], "text", "another")),
    ("acknowledged messages are stored", lambda h: setattr(h.attempts[0], "seq", 7)),
    ("a message is stored once", lambda h: h.final.stored.append(stored(ROOM, 4, client_id="a-3", text="text 3"))),
    ("only sent messages are stored", lambda h: h.final.stored.append(stored(ROOM, 4))),
    ("each sender's order is kept", _overtake_the_acknowledged),
    ("each sender's order is kept", _overtake_on_one_connection),
    ("numbers have no holes", _number_with_a_hole),
    ("numbers have no holes", _number_twice),
    ("a repeat is answered as the first attempt was", _answer_the_repeat_otherwise),
    ("a repeat is answered as the first attempt was", _acknowledge_twice_as_new),
    ("acknowledged changes are stored", lambda h: setattr(changed(h).changes[0], "seq", 6)),
    ("acknowledged changes are stored", lambda h: setattr(changed(h).final.stored[4], "target", f"id-{ROOM}-1")),
    ("messages show their changes", lambda h: setattr(changed(h).final.stored[0], "text", "text 1")),
    ("messages show their changes", lambda h: setattr(changed(h).final.stored[1], "is_deleted", False)),
    ("deletions are real", lambda h: changed(h).final.leftovers.append("text 2")),
    ("members have messages as they are", lambda h: changed(h).final.views["b"][ROOM][f"id-{ROOM}-1"].__setitem__(0, "text 1")),
    ("members have messages as they are", lambda h: changed(h).final.views["b"][ROOM].update(gone=["x", False, {}])),
    ("a resume brings what changed", lambda h: changed(h).memberships[3].changed.clear()),
    ("members see the store's messages in order", lambda h: changed(h).memberships[0].seen.pop(3)),
    ("members see the store's messages in order", lambda h: h.memberships[0].seen.pop(1)),
    ("members see the store's messages in order", lambda h: h.memberships[0].seen.insert(1, h.memberships[0].seen[0])),
    ("members see the store's messages in order", lambda h: h.memberships[2].seen.pop(0)),
    ("members see the store's messages in order", _see_otherwise),
    ("members see the newest message in the end", lambda h: h.memberships[2].seen.pop()),
    ("members see the newest message in the end", lambda h: h.memberships[0].seen.clear()),
    ("a resume needs no resync", lambda h: setattr(h.memberships[2], "resync", True)),
    ("removed users get and send nothing", _take_from_the_removed),
    ("removed users get and send nothing", _serve_the_removed),
    ("events reach their receivers", lambda h: h.final.events.pop()),
    ("events are about stored messages", lambda h: setattr(h.final.events[0], "message_id", "another")),
    ("events are about stored messages", lambda h: setattr(h.final.events[0], "seq", 2)),
    ("events are about stored messages", lambda h: setattr(h.final.events[0], "receiver", "alice")),
    ("events are about stored messages", lambda h: setattr(h.final.events[0], "receiver", "stranger")),
    ("nothing is refused without a reason", _refuse),
    ("nothing is refused without a reason", lambda h: _refuse(h, "forbidden")),
    ("nothing is refused without a reason", _refuse_while_a_publication_is_lost),
    ("nothing is refused without a reason", _refuse_another_user_than_the_removed),
    ("nothing is refused without a reason", _refuse_long_after_the_user_is_back),
    ("every request is answered", _leave_unanswered),
    ("connections stay", _close_the_connection),
    ("clients get nothing odd", lambda h: h.oddities.append(Oddity("a", "alice", 3.0, "resync_required outside a join"))),
    ("clients get nothing odd", lambda h: h.oddities.append(Oddity("a", "alice", 3.0, "error", "forbidden"))),
    ("presence is true", lambda h: h.final.sessions["instance-1"].pop("ben")),
    ("presence is true", lambda h: h.final.sessions["instance-0"].update(ben=2)),
    ("lists of members are true", lambda h: h.final.members["instance-0"][ROOM].append("ghost")),
    ("Redis keys are true", lambda h: h.final.keys["online_users"].append("ghost")),
    ("participants are true", lambda h: h.final.participants["store"][ROOM].remove("ben")),
    ("participants are true", lambda h: h.final.participants["store"][ROOM].append("stranger")),
    ("history is the store's on every instance", lambda h: h.final.pages["instance-1"][ROOM].pop()),
    ("history is the store's on every instance", lambda h: h.final.pages["instance-1"][ROOM].append((4, "x", "y"))),
    ("read marks are true", lambda h: h.final.read_marks["instance-0"][ROOM].update(ben=1)),
    ("read marks are true", lambda h: h.final.read_marks["instance-0"][ROOM].update(ben=3)),
    ("lists of rooms are true", lambda h: h.final.listings["ben"].pop(ROOM)),
    ("lists of rooms are true", lambda h: h.final.listings["ben"].update({ROOM: [3, 2, 2, 1]})),
    ("lists of rooms are true", lambda h: h.final.listings["ben"].update({ROOM: [3, 3, 2, 2]})),
    ("read marks are true", lambda h: h.final.read_marks["instance-0"][ROOM].update(alice=2)),
    ("read marks are true", lambda h: h.final.read_marks.update({"instance-1": {ROOM: {"alice": 3, "ben": 2, "eve": 1}}})),
    ("last messages in the store are true", lambda h: h.final.last_messages.update({ROOM: 2})),
    ("instances are ready after the last fault", lambda h: h.final.ready_after.update({"instance-1": None})),
    ("instances are ready after the last fault", lambda h: h.final.ready_after.update({"instance-1": 61.0})),
    ("all comes to rest after the last fault", lambda h: h.final.rest_after.update({"presence is true": None})),
]


def test_each_promise_is_seen_to_break():
    assert {promise for promise, _ in BREAKS} == set(PROMISES)


@pytest.mark.parametrize("number", range(len(BREAKS)))
def test_a_broken_promise_is_found(number: int):
    promise, break_it = BREAKS[number]
    history = good()
    break_it(history)
    violations = judge(history)
    assert promise in {violation.promise for violation in violations}
    assert promise in verdict(history, violations)


# What explains a refusal, a missing answer, the end of a connection


def test_a_refusal_is_explained_by_a_store_that_is_away():
    history = good()
    history.disturbances.append(Disturbance("kill_mongo", None, 28.0, 29.0))
    _refuse(history)
    assert judge(history) == []
    history.disturbances[0].ended_at = 28.1
    history.attempts[-1].sent_at = history.attempts[-1].ended_at = 60.0
    assert judge(history) != []


@pytest.mark.parametrize("instance, is_broken", [(0, False), (1, True)])
def test_a_removal_by_an_instance_that_is_alone_is_in_force_later(instance: int, is_broken: bool):
    history = good()
    _serve_the_removed(history)
    history.disturbances.append(Disturbance("silence_redis", instance, 40.0, 47.0))
    assert ("removed users get and send nothing" in {each.promise for each in judge(history)}) == is_broken


def test_a_killed_instance_may_lose_the_mark_of_a_message_just_sent():
    history = good()
    history.final.read_marks["instance-0"][ROOM]["alice"] = 2
    history.disturbances.append(Disturbance("kill_instance", 0, 31.0, 35.0))
    assert judge(history) == []
    history.disturbances[0].began_at = 60.0
    assert judge(history) != []


def test_a_start_without_a_store_is_tried_again():
    history = good()
    _end_while_the_store_is_away(history)
    history.ends[0].exit_code = 1
    assert judge(history) == []


def test_a_removed_user_is_refused_and_told_so():
    history = good()
    _remove(history)
    history.attempts.append(sent(history, 4, 50.0, user="ben", client="b", room=PRIVATE, outcome="refused", code="not_joined"))
    history.oddities.append(Oddity("b", "ben", 46.0, "error", "forbidden"))
    assert judge(history) == []


def test_a_stopped_instance_explains_silence_and_lost_connections_of_its_own():
    history = good()
    _leave_unanswered(history)
    _close_the_connection(history)
    for disturbance in history.disturbances:
        disturbance.instance = 0
    assert judge(history) == []


def test_a_member_that_was_away_is_owed_events_and_a_removed_one_is_not():
    history = good()
    _remove(history, ROOM)
    history.final.events.clear()
    assert judge(history) == []


def test_a_history_is_the_same_after_it_was_kept(tmp_path: Path):
    history = good()
    _refuse(history)
    history.disturbances.append(Disturbance("kill_instance", 1, 29.0, 31.0))
    history.oddities.append(Oddity("a", "alice", 3.0, "odd"))
    history.save(tmp_path / "history.json")
    again = History.load(tmp_path / "history.json")
    assert [str(each) for each in judge(again)] == [str(each) for each in judge(history)] != []
    assert figures(again) == figures(history)
