"""Presence when an instance or Redis goes away."""

import time

from presence.conftest import KEY
from presence.test_two_instances import leftovers, watch
from support.deadline import eventually


def changes(chat, *statuses):
    return sorted(data["userId"] for data in chat.events("user_status_change") if data["status"] in statuses)


def test_the_sessions_of_a_dead_instance_are_announced_offline_once(make_pair, make_chat):
    pair = make_pair()
    one, two = pair.servers
    users = [f"u{number}" for number in range(50)]
    chat = watch(make_chat, two, *users, "both")
    for user in users:
        make_chat(one, user).join("lobby")
    make_chat(one, "both")
    make_chat(two, "both")
    eventually(lambda: pair.online(two) == len(users) + 2, "all are online")
    # An instance sweeps others only after holding its own lease for a full period.
    time.sleep(11)
    one.kill()
    for _ in users:
        chat.expect("user_status_change", lambda data: data["status"] == "offline")
    chat.read_for(2)
    assert changes(chat, "offline") == []
    assert pair.online(two) == 2
    users_there = "chat:room:lobby:users"
    eventually(
        lambda: pair.keys.scard(users_there) == 0,
        lambda: f"the room is empty: {pair.keys.smembers(users_there)}, {[(key, pair.keys.smembers(key)) for key in pair.keys.keys('*:rooms')]}",
    )
    names = {key for key in leftovers(pair.keys) if key.startswith("chat-service:instance:i1")}
    assert names == set() and pair.keys.smembers("online_users") == {"both", "watcher"}
    assert not [key for key in pair.keys.keys("*") if any(key.endswith(f":{user}") for user in users)]


def test_a_pause_of_redis_takes_no_user_offline(make_pair, make_chat):
    pair = make_pair()
    one, two = pair.servers
    chat = watch(make_chat, two)
    make_chat(one, "alice")
    chat.expect("user_status_change", lambda data: data["userId"] == "alice")
    time.sleep(11)
    pair.redis.pause()
    time.sleep(10)
    pair.redis.unpause()
    chat.read_for(15)
    assert chat.events("user_status_change") == []
    assert pair.online(one) == pair.online(two) == 2


def test_redis_that_comes_back_empty_gets_all_sessions_again(make_pair, make_chat):
    pair = make_pair()
    one, two = pair.servers
    chat = watch(make_chat, two)
    alice = make_chat(one, "alice")
    alice.join("lobby")
    alice.ask("set_status", {"status": "busy"})
    bob = make_chat(one, "bob")
    eventually(lambda: pair.online(two) == 3, "all are online")
    chat.read_for(0.6)
    chat.inbox.clear()
    pair.redis.kill()
    bob.close()
    carol = make_chat(one, "carol")
    eventually(lambda: pair.status(one, "carol") == "online", "an instance by itself knows its own")
    eventually(lambda: pair.status(one, "bob") == "offline", "and misses its own")
    pair.redis.start()
    eventually(lambda: pair.status(two, "carol") == "online", "caught up")
    eventually(lambda: pair.status(two, "bob") == "offline", "a user that is not back by then is gone")
    assert pair.status(two, "alice") == "busy" and pair.online(two) == 3
    eventually(lambda: pair.keys.smembers("online_users") == {"alice", "carol", "watcher"}, "keys are back")
    eventually(lambda: pair.keys.smembers("chat:room:lobby:users") == {"alice"}, "rooms are back")
    chat.read_for(1)
    assert changes(chat, "online") == ["carol"] and changes(chat, "offline") == ["bob"]
    assert "alice" not in changes(chat, "online", "offline", "busy")
    carol.settle()


def test_without_redis_an_instance_serves_its_own(make_server, make_chat):
    server = make_server({"REDIS_URL": "redis://127.0.0.1:1", "PRESENCE_GRACE_MS": "200", "MAX_CONNECTIONS_PER_USER": "2"})
    chat = watch(make_chat, server, "alice")
    alice = [make_chat(server, "alice") for _ in range(3)]
    chat.expect("user_status_change", lambda data: data["status"] == "online")
    alice[0].expect_close(4409)
    alice[1].close()
    alice[2].close()
    chat.expect("user_status_change", lambda data: data["status"] == "offline")


def test_a_drained_instance_leaves_its_users_to_the_grace_of_the_other(make_pair, make_chat):
    pair = make_pair({"PRESENCE_GRACE_MS": "5000"})
    one, two = pair.servers
    chat = watch(make_chat, two, "alice", "bob")
    make_chat(one, "alice")
    make_chat(one, "bob")
    chat.expect("user_status_change", lambda data: data["userId"] == "alice")
    chat.expect("user_status_change", lambda data: data["userId"] == "bob")
    one.terminate()
    make_chat(two, "alice")
    chat.expect("user_status_change", lambda data: data == data | {"userId": "bob", "status": "offline"})
    assert changes(chat, "offline") == []
    assert two.get("/online-status?ids=alice,bob", headers=KEY).json()[0]["online"] is True


def test_an_instance_that_starts_again_at_once_under_its_name_keeps_no_ghosts(make_pair, make_chat):
    pair = make_pair()
    one, two = pair.servers
    chat = watch(make_chat, two, "alice", "bob")
    make_chat(one, "alice").join("lobby")
    bob = make_chat(one, "bob")
    eventually(lambda: pair.online(two) == 3, "all are online")
    chat.read_for(0.5)
    chat.inbox.clear()
    one.kill()
    one.start()
    bob = make_chat(one, "bob")
    change = chat.expect("user_status_change", lambda data: data["status"] == "offline")
    assert change["userId"] == "alice"
    chat.read_for(1)
    # A user who came back within the time of a lease was never gone.
    assert chat.events("user_status_change") == [] and pair.status(two, "bob") == "online"
    assert pair.keys.hlen("chat-service:instance:i1:sessions") == 1
    eventually(lambda: not pair.keys.exists("chat:room:lobby:users"), "the room is empty")
    bob.settle()


def test_sessions_whose_lease_ended_come_back(make_pair, make_chat):
    """An instance that was suspended for longer than its lease finds its sessions swept, and registers them again."""
    pair = make_pair()
    one, two = pair.servers
    chat = watch(make_chat, two, "alice")
    alice = make_chat(one, "alice")
    alice.join("lobby")
    alice.ask("set_status", {"status": "busy"})
    chat.expect("user_status_change", lambda data: data["status"] == "busy")
    chat.inbox.clear()
    # An instance sweeps others only after holding its own lease for a full period.
    time.sleep(11)
    one.pause()
    chat.expect("user_status_change", lambda data: data["status"] == "offline")
    assert pair.keys.smembers("online_users") == {"watcher"}
    one.unpause()
    chat.expect("user_status_change", lambda data: data["status"] == "busy")
    eventually(lambda: pair.keys.smembers("chat:room:lobby:users") == {"alice"}, "the room is back")
    assert pair.online(one) == pair.online(two) == 2
    alice.close()
    chat.expect("user_status_change", lambda data: data["status"] == "offline")
    assert chat.events("user_status_change") == []
    eventually(lambda: not [key for key in leftovers(pair.keys) if "alice" in key], "nothing of alice is left")
