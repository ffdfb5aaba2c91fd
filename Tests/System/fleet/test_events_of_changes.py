"""Events of edits, deletions and reactions, and of messages that were deleted before they were published."""

import pytest

from support.broker import RabbitMQ, collect
from support.deadline import eventually

CHANGES = "message_changes"


@pytest.fixture
def broker(tmp_path):
    broker = RabbitMQ(tmp_path / "rabbitmq").start()
    yield broker
    broker.kill()


@pytest.fixture
def members(make_fleet, make_chat, broker):
    fleet = make_fleet({"RABBITMQ_URL": broker.url, "RABBITMQ_QUEUE_MESSAGE_CHANGES": CHANGES})
    alice, bob = (make_chat(server, name) for server, name in zip(fleet.servers, ("alice", "bob")))
    for chat in (alice, bob):
        chat.join("den")
    return fleet, alice, bob


def test_changes_have_events_in_a_queue_of_their_own(members, broker):
    _, alice, bob = members
    first = alice.send("den", "first")["messageId"]
    said = alice.send("den", "hi <@bob>", replyTo=first)["messageId"]
    of_message = {"roomId": "den", "messageId": said}
    edit = alice.ask("edit_message", {**of_message, "message": "bye <@bob>"})
    reaction = bob.ask("react", {**of_message, "emoji": "👍"})
    pin = alice.request("pin_message", of_message)
    # Both are published before the deletion, which would withdraw them.
    seen = collect(broker, CHANGES, lambda seen: len(seen.events) == 2)
    deletion = alice.ask("delete_message", of_message)
    seen.events += collect(broker, CHANGES, lambda seen: len(seen.events) == 1).events

    common = {"messageId": said, "roomId": "den"}
    events = {event["eventType"]: event["data"] for event in seen.events}
    kinds = [event["eventType"] for event in seen.events]
    # Two instances publish the first two.
    assert set(kinds[:2]) == {"message.edited", "message.reaction"} and kinds[2:] == ["message.deleted"], pin
    for data in events.values():
        assert common.items() <= data.items() and isinstance(data["timestamp"], int)
    expected = {"senderId": "alice", "receiverId": "bob", "seq": edit["seq"], "message": "bye <@bob>", "mentioned": True}
    assert expected.items() <= events["message.edited"].items() and events["message.edited"]["mentions"] == ["bob"]
    expected = {"senderId": "bob", "receiverId": "alice", "seq": reaction["seq"], "emoji": "👍", "removed": False, "count": 1}
    assert expected.items() <= events["message.reaction"].items()
    assert events["message.deleted"]["seq"] == deletion["seq"] and "message" not in events["message.deleted"]

    sent = collect(broker, "new_message", lambda seen: len(seen.events) == 2).events
    assert sent[1]["data"]["replyTo"] == first and sent[1]["data"]["mentioned"] and sent[1]["data"]["mentions"] == ["bob"]
    assert sent[0]["data"]["mentioned"] is False and "mentions" not in sent[0]["data"] and "replyTo" not in sent[0]["data"]


def test_a_message_deleted_before_it_was_published_is_not_published(members, broker):
    fleet, alice, bob = members
    alice.send("den", "before")
    pending = {"eventOwner": {"$exists": True}}
    eventually(lambda: fleet.database()["messages"].count_documents(pending) == 0, "it is published")
    broker.save_queues()
    broker.kill()
    withdrawn = alice.send("den", "withdrawn")["messageId"]
    alice.ask("edit_message", {"roomId": "den", "messageId": withdrawn, "message": "withdrawn too"})
    alice.ask("delete_message", {"roomId": "den", "messageId": withdrawn})
    alice.send("den", "after")
    broker.start()
    seen = collect(broker, "new_message", lambda seen: "after" in seen.texts())
    assert seen.texts() == ["before", "after"]
    (deletion,) = collect(broker, CHANGES, lambda seen: seen.events).events
    assert (deletion["eventType"], deletion["data"]["messageId"]) == ("message.deleted", withdrawn)
