"""`RATE_LIMIT_MESSAGES` holds for a user, wherever the user's connections are."""

import time

import pytest

from support.deadline import eventually

RATE = 10
BURST = 3 * RATE


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    from support.fleet import Fleet

    fleet = Fleet(tmp_path_factory.mktemp("rate"), {"RATE_LIMIT_MESSAGES": str(RATE)})
    yield fleet
    fleet.stop()


def _send(chat, room: str, count: int) -> tuple[int, int]:
    """How many of so many messages were taken and refused."""
    # All at once: one after the other, a slow machine would send no faster than the rate.
    ids = [chat.emit_with_id("send_message", {"roomId": room, "message": f"{n}"}) for n in range(count)]
    replies = [chat.reply(id) for id in ids]
    refused = [reply["error"] for reply in replies if not reply["success"]]
    assert all(error["code"] == "rate_limited" and error["retryable"] for error in refused)
    return len(replies) - len(refused), len(refused)


def test_usage_on_one_reduces_the_allowance_on_the_other(fleet, make_chat, room):
    one, two = (make_chat(server, "hasty") for server in fleet.servers)
    for chat in (one, two):
        chat.join(room)
    started = time.monotonic()
    taken, _ = _send(one, room, BURST)
    assert taken == BURST

    def is_told() -> bool:
        return not two.request("send_message", {"roomId": room, "message": "and now?"})["success"]

    # Without a report of the other instance a whole burst would go through here.
    tries = 0
    while not is_told():
        tries += 1
        time.sleep(0.02)
        assert tries <= BURST * 2 // 3 + RATE * (time.monotonic() - started), "the other instance has not reported"
    # Others are not concerned.
    calm = make_chat(fleet.servers[1], "calm")
    calm.join(room)
    assert _send(calm, room, 10) == (10, 0)


def test_one_rate_in_the_long_run(fleet, make_chat, room):
    chats = [make_chat(server, "eager") for server in fleet.servers]
    for chat in chats:
        chat.join(room)
    started = time.monotonic()
    taken = 0
    while time.monotonic() - started < 8:
        for chat in chats:
            while _send(chat, room, 1) == (1, 0):
                taken += 1
        # So that the refusals stay below what counts as abuse.
        time.sleep(0.2)
    seconds = time.monotonic() - started
    # One burst too many at the most, before the first news.
    assert BURST < taken <= RATE * seconds + 2 * BURST


def test_without_redis_each_instance_counts_by_itself(make_fleet, make_chat):
    fleet = make_fleet({"RATE_LIMIT_MESSAGES": str(RATE)})
    chats = [make_chat(server, "lonely") for server in fleet.servers]
    for chat in chats:
        chat.join("r")
    fleet.redis.kill()
    eventually(lambda: fleet.servers[0].get("/ready").json()["dependencies"]["redis"]["state"] == "down", "gone")
    for chat in chats:
        taken, refused = _send(chat, "r", BURST + 15)
        assert taken >= BURST and refused > 0
