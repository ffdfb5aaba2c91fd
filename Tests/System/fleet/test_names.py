"""INSTANCE_ID: a name is one live process's at a time, and free again when that has died."""

import time

from support.deadline import eventually
from support.server import Server


def test_a_second_process_of_a_name_does_not_start(make_fleet, make_chat, tmp_path):
    fleet = make_fleet()
    one = fleet.servers[0]
    alice = make_chat(one, "alice")
    alice.join("r")
    twin = Server(tmp_path / "twin", {**one.env, "DATA_DIR": str(tmp_path / "twin" / "data")})
    twin.start(wait=False)
    assert twin.wait() == 1
    log = twin.log_text()
    assert '"level":"error"' in log and "INSTANCE_ID instance-1 is in use by another live process" in log
    assert alice.send("r", "undisturbed")["seq"] == 1
    assert one.get("/ready").json()["dependencies"]["redis"]["state"] == "up"


def test_a_name_is_free_as_soon_as_its_process_has_died(make_fleet, make_chat):
    """It begins again within the lease of its earlier life, whose users do not stay for ever."""
    fleet = make_fleet()
    one, two = fleet.servers
    bob, carol = make_chat(two, "bob"), make_chat(two, "carol")
    watcher = make_chat(one, "watcher")
    watcher.ask("subscribe_presence", {"userIds": ["bob", "carol"]})
    for chat in (bob, carol, watcher):
        chat.join("r")
    eventually(lambda: {"bob", "carol"} <= fleet.keys().smembers("online_users"), "both are known")
    two.kill()
    started = time.time()
    two.start(wait=False)
    two.wait_until_healthy(20)
    lease = fleet.keys().zscore("chat-service:instances", "instance-2") / 1000
    assert lease > started, "the lease of the earlier life was not over, or has been taken up"
    carol = make_chat(two, "carol")
    carol.join("r")
    assert watcher.expect("user_status_change", lambda change: change["userId"] == "bob", 60)["status"] == "offline"
    eventually(lambda: fleet.keys().smembers("online_users") == {"carol", "watcher"}, "bob has gone, carol has not")
    assert watcher.expect("user_left")["userId"] == "bob"
    assert {user["userId"] for user in make_chat(one, "late").join("r")["users"]} == {"carol", "watcher", "late"}
