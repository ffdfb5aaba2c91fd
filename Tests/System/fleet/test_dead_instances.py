"""What the survivors do about an instance that died: its users leave, its events are published, no key of it stays."""

import asyncio

import pytest

from support.broker import Notifications, RabbitMQ
from support.deadline import eventually


@pytest.fixture
def later_broker(tmp_path):
    """One that is not up yet."""
    broker = RabbitMQ(tmp_path / "rabbitmq")
    yield broker
    broker.kill()


def test_it_is_cleared_up_after(make_fleet, make_chat, later_broker):
    fleet = make_fleet({"RABBITMQ_URL": later_broker.url})
    one, two = fleet.servers
    keys = fleet.keys()
    alice, bob = make_chat(one, "alice"), make_chat(two, "bob")
    for chat in (alice, bob):
        chat.join("r")
    eventually(lambda: keys.smembers("chat:room:r:users") == {"alice", "bob"}, "both are in the room's set")
    assert keys.smembers("online_users") == {"alice", "bob"}
    sent = {alice.send("r", f"message {number}")["messageId"] for number in range(20)}
    bob.expect("new_message", lambda message: message["seq"] == 20)
    owned = {"eventOwner": one.env["INSTANCE_ID"]}
    assert fleet.database()["messages"].count_documents(owned) == 20, "its events wait"
    one.kill()

    # The lease holds for ten seconds, and the survivor's own must have held as long.
    assert bob.expect("user_left")["userId"] == "alice"
    eventually(lambda: keys.smembers("chat:room:r:users") == {"bob"}, "it is out of the room's set")
    assert keys.smembers("online_users") == {"bob"}
    left = [key for key in keys.scan_iter("*") if "alice" in key or one.env["INSTANCE_ID"] in key]
    assert left == [], "no key of it is left"

    eventually(lambda: fleet.database()["messages"].count_documents(owned) == 0, "another took them over")
    later_broker.start()
    eventually(lambda: two.get("/ready").json()["dependencies"]["rabbitmq"]["state"] == "up", "connected")
    seen = Notifications()
    owed = {f"{id}:bob" for id in sent}
    asyncio.run(seen.collect(later_broker.url, "new_message", lambda seen: owed <= seen.deliveries.keys()))
    assert seen.deliveries.keys() == owed


def test_a_drained_instance_leaves_nothing_behind(make_fleet, make_chat):
    fleet = make_fleet({"SHUTDOWN_GRACE_MS": "500"})
    one, two = fleet.servers
    alice, bob = make_chat(one, "alice"), make_chat(two, "bob")
    for chat in (alice, bob):
        chat.join("r")
    keys = fleet.keys()
    eventually(lambda: keys.smembers("chat:room:r:users") == {"alice", "bob"}, "both are in the room's set")
    assert one.terminate() == 0
    assert bob.expect("user_left")["userId"] == "alice"
    eventually(lambda: keys.smembers("chat:room:r:users") == {"bob"}, "it is out of the room's set")
