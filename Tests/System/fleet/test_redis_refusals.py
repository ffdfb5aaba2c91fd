"""Redis is there and does not do what it has to: it was demoted, is full, forbids or lacks something. Each is left, or shows."""

import pytest

from readiness import redis_state, refusals
from support.between import Between
from support.deadline import eventually
from support.services import Redis


def is_degraded(server, *words: str) -> bool:
    ready = server.get("/ready")
    assert ready.status_code == 200, "an instance serves without Redis"
    state, error = redis_state(server)
    return state == "degraded" and ready.json()["status"] == "degraded" and all(word in error for word in words)


@pytest.fixture
def betweens():
    made: list[Between] = []
    yield made
    for each in made:
        each.close()


@pytest.fixture
def other_redis(tmp_path):
    redis = Redis(tmp_path / "other-redis")
    redis.start()
    yield redis
    redis.kill()


def test_a_demoted_primary_is_left_and_the_new_one_found(make_fleet, make_chat, betweens, other_redis):
    """The old primary stays reachable as a replica, on connections that stand; its name leads to the new one."""

    def between(port: int) -> int:
        betweens.append(Between(port))
        return betweens[0].port

    fleet = make_fleet(redis_through=between)
    alice, bob = (make_chat(server, user) for server, user in zip(fleet.servers, ["alice", "bob"]))
    bob.ask("subscribe_presence", {"userIds": ["alice"]})
    for chat in (alice, bob):
        chat.join("r")
    eventually(lambda: fleet.keys().sismember("online_users", "alice"), "alice is in the old one")

    fleet.keys().replicaof("127.0.0.1", other_redis.port)
    for server in fleet.servers:
        eventually(lambda s=server: redis_state(s)[0] == "down" and "replica" in redis_state(s)[1], "it shows")
        assert server.get("/ready").status_code == 200
    alice.send("r", "meanwhile")
    assert bob.expect("new_message", timeout=45)["message"] == "meanwhile"

    betweens[0].target = other_redis.port
    for server in fleet.servers:
        eventually(lambda s=server: redis_state(s)[0] == "up", "the new one is found")
    new = other_redis.client()
    eventually(lambda: new.smembers("online_users") == {"alice", "bob"}, "everybody is in the new one")
    alice.ask("set_status", {"status": "busy"})
    assert bob.expect("user_status_change", lambda change: change["status"] == "busy", timeout=20)
    eventually(lambda: new.pubsub_numsub("chat:room:r")[0][1] == 2, "rooms are heard over the new one")
    alice.send("r", "afterwards")
    assert bob.expect("new_message", lambda each: each["message"] == "afterwards")
    for server in fleet.servers:
        assert '"reason":"Redis' in server.log_text() and refusals(server).get("READONLY", 0) >= 1


def test_a_full_redis_shows_and_presence_continues_here(make_fleet, make_chat):
    fleet = make_fleet()
    one = fleet.servers[0]
    alice = make_chat(one, "alice")
    fleet.keys().config_set("maxmemory", 1)
    for server in fleet.servers:
        eventually(lambda s=server: is_degraded(s, "full", "OOM"), "it shows")
        assert refusals(server).get("OOM", 0) >= 1
    watcher = make_chat(one, "watcher")
    watcher.ask("subscribe_presence", {"userIds": ["alice"]})
    alice.ask("set_status", {"status": "busy"})
    assert watcher.expect("user_status_change", lambda change: change["status"] == "busy", timeout=40)
    fleet.keys().config_set("maxmemory", 0)
    for server in fleet.servers:
        eventually(lambda s=server: redis_state(s)[0] == "up", "and is over")
    eventually(lambda: fleet.keys().hget("user:presence:alice", "status") == "busy", "told afterwards")


def test_an_access_list_without_channels_shows(make_server, make_chat, tmp_path):
    redis = Redis(tmp_path / "redis")
    redis.start()
    try:
        redis.client().execute_command("ACL", "SETUSER", "default", "resetchannels")
        server = make_server({"REDIS_URL": redis.url})
        eventually(lambda: is_degraded(server, "not heard", "NOPERM"), "it shows")
        alice, watcher = make_chat(server, "alice"), make_chat(server, "watcher")
        for chat in (alice, watcher):
            chat.join("r")
        alice.send("r", "all the same")
        assert watcher.expect("new_message")["message"] == "all the same"
        watcher.ask("subscribe_presence", {"userIds": ["alice"]})
        alice.ask("set_status", {"status": "busy"})
        assert watcher.expect("user_status_change", lambda change: change["status"] == "busy", timeout=40)
        redis.client().execute_command("ACL", "SETUSER", "default", "allchannels")
        eventually(lambda: redis_state(server)[0] == "up", "and is over")
        eventually(lambda: redis.client().sismember("online_users", "alice"), "told afterwards")
    finally:
        redis.kill()


def test_a_command_that_is_missing_shows(make_fleet, make_chat):
    """What a script alone needs, and only when an instance has died."""
    fleet = make_fleet()
    one, two = fleet.servers
    make_chat(two, "bob")
    eventually(lambda: fleet.keys().sismember("online_users", "bob"), "bob is there")
    fleet.keys().execute_command("ACL", "SETUSER", "default", "-hrandfield")
    two.kill()
    eventually(lambda: is_degraded(one, "NOPERM", "presence-sweep"), "it shows")
    fleet.keys().execute_command("ACL", "SETUSER", "default", "+hrandfield")
    eventually(lambda: not fleet.keys().sismember("online_users", "bob"), "swept at last")
    eventually(lambda: redis_state(one)[0] == "up", "and is over")
