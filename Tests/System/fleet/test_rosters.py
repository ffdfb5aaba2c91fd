"""Rosters of a room stay right over instances: when publications are lost, an instance is suspended, or is cut off."""

import pytest

from support.between import Between
from support.deadline import eventually
from test_lost_publications import Swallower


@pytest.fixture
def betweens():
    made: list[Between] = []
    yield made
    for each in made:
        each.close()


def names(chat) -> set[str]:
    """The users in the room, as a joining user gets them."""
    return {user["userId"] for user in chat.join("r")["users"]}


def test_lost_comings_and_goings_are_made_good(make_fleet, make_chat, betweens):
    def between(port: int) -> int:
        betweens.append(Swallower(port))
        return betweens[0].port

    fleet = make_fleet(redis_through=between)
    one, two = fleet.servers
    alice = make_chat(one, "alice")
    bob, carol, dan = (make_chat(two, name) for name in ("bob", "carol", "dan"))
    for chat in (alice, bob, carol):
        chat.join("r")
    eventually(lambda: names(alice) == {"alice", "bob", "carol"}, "all are in sight")
    alice.inbox.clear()

    betweens[0].swallowed.add(b"r")
    bob.ask("leave_room", {"roomId": "r"})
    dan.join("r")
    eventually(lambda: betweens[0].count >= 2, "both were lost")
    betweens[0].swallowed.clear()
    # The rosters are compared every half a minute.
    assert alice.expect("user_left", timeout=60)["userId"] == "bob"
    assert alice.expect("user_joined", timeout=60)["userId"] == "dan"
    assert names(alice) == {"alice", "carol", "dan"}


def test_an_instance_that_stood_still_past_its_lease_is_whole_again(make_fleet, make_chat):
    fleet = make_fleet()
    one, two = fleet.servers
    alice, bob = make_chat(one, "alice"), make_chat(two, "bob")
    alice.ask("subscribe_presence", {"userIds": ["bob"]})
    for chat in (alice, bob):
        chat.join("r")
    eventually(lambda: "bob" in names(alice), "both are in sight")
    eventually(lambda: fleet.keys().sismember("online_users", "bob"), "and known")
    alice.settle()
    alice.inbox.clear()
    two.pause()
    try:
        # The other takes it for dead, and its users with it.
        assert alice.expect("user_left", timeout=60)["userId"] == "bob"
        assert alice.expect("user_status_change", lambda change: change["status"] == "offline", 60)
        alice.send("r", "while it stood")
    finally:
        two.unpause()
    assert bob.expect("new_message", timeout=60)["message"] == "while it stood"
    assert alice.expect("user_joined", timeout=60)["userId"] == "bob"
    assert alice.expect("user_status_change", lambda change: change["status"] == "online", 60)
    assert names(alice) == {"alice", "bob"} == names(bob)
    assert bob.send("r", "again")["seq"] == 2
    assert alice.expect("new_message", lambda message: message["seq"] == 2)["message"] == "again"


def test_a_user_expelled_elsewhere_during_a_partition_goes_when_it_is_over(make_fleet, make_chat, betweens):
    fleet = make_fleet({"SERVICE_API_KEY": "0123456789abcdef-service"})
    one, two = fleet.servers
    betweens.append(Between(fleet.redis.port))
    two.restart({"REDIS_URL": f"redis://127.0.0.1:{betweens[0].port}"})
    alice = {"X-User-Id": "alice"}
    made = one.post("/api/rooms", headers=alice, json={"roomId": "r", "private": True, "participants": ["bob"]})
    assert made.status_code == 201
    bob = make_chat(two, "bob")
    bob.join("r")
    betweens[0].cut()
    eventually(lambda: two.get("/ready").json()["dependencies"]["redis"]["state"] == "down", "cut off")
    assert one.request("DELETE", "/api/rooms/r/participants/bob", headers=alice).status_code < 300
    betweens[0].mend()
    assert bob.expect("error", timeout=40)["code"] == "forbidden"
    assert bob.request("send_message", {"roomId": "r", "message": "x"})["error"]["code"] == "not_joined"
