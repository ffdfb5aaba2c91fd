"""An instance dies with events pending: another one publishes them."""

import pytest

from support.broker import collect
from support.deadline import eventually
from support.fleet import Fleet


@pytest.fixture
def fleet(tmp_path, broker, queue):
    fleet = Fleet(tmp_path / "fleet", {"RABBITMQ_URL": broker.url, "RABBITMQ_QUEUE_NEW_MESSAGE": queue})
    yield fleet
    fleet.stop()


def test_the_events_of_a_killed_instance_are_taken_over(fleet, make_chat, broker, queue):
    doomed, survivor = fleet.servers
    # The instance that numbers a room owes its events, whichever took the messages from the client. In this room that is the first.
    make_chat(survivor, "receiver").join("r")
    sender = make_chat(doomed, "sender")
    sender.join("r")
    broker.kill()

    def pending() -> set[str]:
        return set(fleet.database()["messages"].distinct("eventOwner"))

    try:
        sent = [f"message {n}" for n in range(100)]
        for text in sent:
            sender.send("r", text)
        assert pending() == {doomed.env["INSTANCE_ID"]}
        doomed.kill()
    finally:
        broker.start()
    eventually(lambda: not pending(), "nothing is pending")
    seen = collect(broker, queue, lambda seen: len(seen.events) == len(sent))
    assert seen.texts() == sent
    assert {event["data"]["receiverOnline"] for event in seen.events} == {True}
