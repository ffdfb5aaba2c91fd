"""Judges a recorded run: every promise of the service, and the evidence for each that broke. Pure: no clock, no server."""

from typing import Callable, Iterator

from chaos.history import History
from chaos.judge import changes, events, final_state, messages, refusals, views
from chaos.judge.evidence import Violation

Rule = Callable[[History], Iterator[Violation]]

# By the name that a report gives. Order is the order of a report.
PROMISES: dict[str, Rule] = {
    "instances live": final_state.instances_live,
    "acknowledged messages are stored": messages.acknowledged_are_stored,
    "a message is stored once": messages.stored_once,
    "only sent messages are stored": messages.only_sent_are_stored,
    "each sender's order is kept": messages.sender_order_is_kept,
    "numbers have no holes": messages.numbers_have_no_holes,
    "a repeat is answered as the first attempt was": messages.repeats_are_answered_alike,
    "acknowledged changes are stored": changes.acknowledged_are_stored,
    "messages show their changes": changes.messages_show_their_changes,
    "deletions are real": changes.deletions_are_real,
    "members have messages as they are": changes.members_see_messages_as_they_are,
    "a resume brings what changed": changes.resumes_bring_what_changed,
    "members see the store's messages in order": views.in_order,
    "members see the newest message in the end": views.complete,
    "a resume needs no resync": views.no_resync,
    "removed users get and send nothing": messages.removed_users_are_out,
    "events reach their receivers": events.owed_are_published,
    "events are about stored messages": events.published_are_true,
    "nothing is refused without a reason": refusals.only_explained,
    "every request is answered": refusals.all_answered,
    "connections stay": refusals.connections_stay,
    "clients get nothing odd": refusals.nothing_odd,
    "presence is true": final_state.presence_is_true,
    "lists of members are true": final_state.members_are_true,
    "Redis keys are true": final_state.keys_are_true,
    "participants are true": final_state.participants_are_true,
    "history is the store's on every instance": final_state.pages_are_true,
    "read marks are true": final_state.read_marks_are_true,
    "lists of rooms are true": final_state.listings_are_true,
    "last messages in the store are true": final_state.last_messages_are_true,
    "instances are ready after the last fault": final_state.ready_in_time,
    "all comes to rest after the last fault": final_state.rest_in_time,
}


def judge(history: History) -> list[Violation]:
    """The violations of all promises; none for a run that kept them."""
    found: list[Violation] = []
    for promise, rule in PROMISES.items():
        for violation in rule(history):
            violation.promise = promise
            found.append(violation)
    return found
