"""An instance of a fleet ends: its clients move as fast as the others take them, and its users stay in sight for the grace."""

import time
from concurrent.futures import ThreadPoolExecutor

from support.deadline import eventually


def test_where_another_can_take_them_everybody_leaves_at_once(make_fleet, make_chat):
    # Spread over the whole grace, the last of fifty would be closed about a minute later.
    fleet = make_fleet({"SHUTDOWN_GRACE_MS": "60000"})
    one = fleet.servers[0]
    chats = [make_chat(one, f"user-{n}") for n in range(50)]
    for chat in chats:
        chat.join("r")
    # Each knows the other by then.
    eventually(lambda: fleet.keys().zcard("chat-service:instances") == 2, "both hold a lease")
    eventually(lambda: "chat_other_instances 1" in one.get("/metrics").text, "and the one knows")
    with ThreadPoolExecutor() as pool:
        ended = pool.submit(one.terminate)
        for chat in chats:
            hint = chat.expect("server_draining")["reconnectInMs"]
            assert 0 <= hint <= 100, "there is nothing to wait for"
            chat.expect_close(1012)
        assert ended.result() == 0


def test_users_of_an_instance_that_ends_stay_for_the_configured_grace(make_fleet, make_chat):
    """They come back within it, and their absence is not announced."""
    fleet = make_fleet({"PRESENCE_GRACE_MS": "20000", "SHUTDOWN_GRACE_MS": "200"})
    one, two = fleet.servers
    make_chat(one, "alice")
    watcher = make_chat(two, "watcher")
    watcher.ask("subscribe_presence", {"userIds": ["alice"]})
    eventually(lambda: fleet.keys().sismember("online_users", "alice"), "alice is known")

    def gone() -> list:
        return [each for each in watcher.events("user_status_change") if each["status"] == "offline"]

    assert one.terminate() == 0
    ended = time.time()
    lease = fleet.keys().zscore("chat-service:instances", "instance-1") / 1000
    assert lease - ended > 12, "by Redis's clock; what is left of 20 seconds"
    assert fleet.keys().sismember("online_users", "alice")
    watcher.read_for(8)
    assert not gone(), "8 s later she is in sight: 5 s was the default"
    back = make_chat(two, "alice")
    back.settle()
    watcher.read_for(1)
    assert not gone()
