"""One presence on two instances."""

import json
import time

from presence.conftest import KEY
from support.deadline import eventually


def watch(make_chat, server, *users, name="watcher"):
    chat = make_chat(server, name)
    chat.ask("subscribe_presence", {"userIds": list(users)} if users else {"all": True})
    return chat


def test_status_travels_and_devices_add_up(make_pair, make_chat):
    pair = make_pair()
    one, two = pair.servers
    chat = watch(make_chat, two, "alice")
    phone = make_chat(one, "alice", "Alice")
    change = chat.expect("user_status_change")
    assert (change["userId"], change["username"], change["status"]) == ("alice", "Alice", "online")
    desk = make_chat(two, "alice", "Alice")
    desk.ask("set_status", {"status": "busy"})
    assert chat.expect("user_status_change")["status"] == "busy"
    devices = phone.ask("get_detailed_online_users")[0]["devices"]
    assert [device["instance"] for device in devices] == ["i1", "i2"]
    desk.close()
    assert chat.expect("user_status_change")["status"] == "online"
    phone.close()
    assert chat.expect("user_status_change")["status"] == "offline"
    chat.read_for(1)
    assert chat.events("user_status_change") == []


def test_reconnecting_on_the_other_instance_announces_nothing(make_pair, make_chat):
    pair = make_pair()
    one, two = pair.servers
    chat = watch(make_chat, two, "alice")
    alice = make_chat(one, "alice")
    chat.expect("user_status_change")
    alice.abort()
    make_chat(two, "alice")
    chat.read_for(1.5)
    assert chat.events("user_status_change") == []


def test_hiding_hides_on_every_instance(make_pair, make_chat):
    pair = make_pair()
    one, two = pair.servers
    chat = watch(make_chat, two)
    phone, desk = make_chat(one, "alice"), make_chat(two, "alice")
    chat.expect("user_status_change", lambda data: data["userId"] == "alice")
    phone.ask("set_status", {"status": "invisible"})
    chat.expect("user_status_change", lambda data: data["userId"] == "alice" and data["status"] == "offline")
    assert desk.ask("check_user_status", {"targetUserId": "alice"})["status"] == "invisible"
    assert pair.status(two, "alice") == "offline" and pair.online(two) == 1
    keys = pair.keys
    assert keys.smembers("online_users") == keys.smembers("online:users:set") == {"watcher"}
    assert not keys.keys("user:presence:alice") and not keys.keys("online:user:socket:alice")
    assert not keys.keys("online:presence:alice")
    desk.ask("set_status", {"status": "online"})
    chat.expect("user_status_change", lambda data: data["userId"] == "alice" and data["status"] == "online")


def test_the_keys_other_services_read(make_pair, make_chat):
    pair = make_pair()
    keys = pair.keys
    updates = keys.pubsub(ignore_subscribe_messages=True)
    updates.subscribe("presence:updates")
    updates.get_message(timeout=1)
    alice = make_chat(pair.servers[0], "alice", "Alice")
    devices = eventually(
        lambda: [d for user in alice.ask("get_detailed_online_users") for d in user["devices"]], "alice's session is known"
    )
    socket = devices[0]["socketId"]
    told = json.loads(eventually(lambda: updates.get_message(timeout=1), "an update")["data"])
    assert set(told) == {"userId", "status", "lastSeen"} and (told["userId"], told["status"]) == ("alice", "online")
    assert keys.smembers("online_users") == keys.smembers("online:users:set") == {"alice"}
    assert keys.hgetall("user:presence:alice") == {
        "status": "online",
        "lastSeen": told["lastSeen"],
        "socketId": socket,
    }
    assert keys.get("online:user:socket:alice") == socket
    assert keys.get(f"online:socket:user:{socket}") == "alice"
    assert json.loads(keys.get("online:presence:alice"))["status"] == "online"
    for key in ("user:presence:alice", "online:user:socket:alice", f"online:socket:user:{socket}", "online:presence:alice"):
        assert 0 < keys.ttl(key) <= 3600
    alice.join("lobby")
    eventually(lambda: keys.smembers("chat:room:lobby:users") == {"alice"}, "alice is in the room's set")
    other = make_chat(pair.servers[1], "alice")
    other.join("lobby")
    alice.close()
    eventually(lambda: keys.scard("chat-service:instance:i1:rooms") == 0, "i1 has no user in rooms")
    assert keys.smembers("chat:room:lobby:users") == {"alice"}
    other.close()
    told = json.loads(eventually(lambda: updates.get_message(timeout=1), "an update")["data"])
    assert told["status"] == "offline"
    eventually(lambda: leftovers(keys) == set(), "nothing is left")


def leftovers(keys):
    ours = {"chat-service:instances", "chat-service:order"}
    return {key for key in keys.keys("*") if key not in ours and not key.startswith("chat:history")}


def test_the_cap_counts_all_instances(make_pair, make_chat):
    pair = make_pair({"MAX_CONNECTIONS_PER_USER": "2"})
    one, two = pair.servers
    first = make_chat(one, "alice")
    # Which came first is decided where all instances meet.
    eventually(lambda: pair.keys.hlen("chat-service:user:alice") == 2, "the first session is known")
    second = make_chat(two, "alice")
    third = make_chat(two, "alice")
    first.expect_error("replaced")
    first.expect_close(4409)
    second.settle()
    third.settle()
    assert len(third.ask("get_detailed_online_users")[0]["devices"]) == 2


def test_a_service_logs_out_on_all_instances(make_pair, make_chat):
    pair = make_pair()
    sessions = [make_chat(server, "alice") for server in pair.servers]
    # The call ends the sessions that the asked instance knows.
    eventually(
        lambda: len(sessions[0].ask("get_detailed_online_users")[0]["devices"]) == 2, "both sessions known on the first"
    )
    answer = pair.servers[0].request("DELETE", "/internal/users/alice/sessions", headers=KEY)
    assert answer.json()["sessions"] == 2
    for session in sessions:
        session.expect_close(4401)


def test_friends_that_other_services_keep_are_read(make_pair, make_chat):
    pair = make_pair()
    pair.keys.sadd("user:friends:alice", "bob")
    make_chat(pair.servers[1], "bob")
    alice = make_chat(pair.servers[0], "alice")
    found = eventually(lambda: alice.ask("get_online_users"), "bob is online")
    assert [friend["userId"] for friend in found] == ["bob"]


def test_friendships_reach_watchers_on_every_instance(make_pair, make_chat):
    pair = make_pair()
    alice = make_chat(pair.servers[1], "alice")
    alice.ask("subscribe_presence", {"friends": True})
    make_chat(pair.servers[0], "bob")
    pair.servers[0].request("PUT", "/api/users/alice/friends/bob", headers=KEY)
    bob = make_chat(pair.servers[0], "bob")
    bob.ask("set_status", {"status": "busy"})
    alice.expect("user_status_change", lambda data: data["userId"] == "bob" and data["status"] == "busy")


def test_friends_that_other_services_add_reach_the_watchers(make_pair, make_chat):
    pair = make_pair()
    for user in ("bob", "cat"):
        make_chat(pair.servers[1], user)
    alice = make_chat(pair.servers[0], "alice")
    pair.keys.sadd("user:friends:alice", "cat")
    assert [user["userId"] for user in alice.ask("subscribe_presence", {"friends": True})["users"]] == ["cat"]
    pair.keys.sadd("user:friends:alice", "bob")
    pair.keys.set("user:friends:bob", "not a set")
    assert alice.expect("user_status_change")["userId"] == "bob"
    pair.keys.srem("user:friends:alice", "cat")
    cat = make_chat(pair.servers[1], "cat")
    eventually(lambda: pair.keys.scard("user:friends:alice") == 1, "cat is no friend")
    # Announced at most until the next round has read the set.
    deadline = time.monotonic() + 15
    told = True
    while told and time.monotonic() < deadline:
        alice.inbox.clear()
        cat.ask("set_status", {"status": "busy"})
        cat.ask("set_status", {"status": "online"})
        alice.read_for(0.5)
        told = bool(alice.events("user_status_change"))
    assert not told
