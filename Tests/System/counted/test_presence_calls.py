"""System calls and commands for users that connect and leave on an instance with Redis."""

import pytest
from background import Background

from support.chat import Chat
from support.counted_fleet import CountedFleet
from support.deadline import eventually
from support.services import Redis

COUNT = 100
# With one loop all that a transition needs is done on that loop. These calls wake another thread.
WAKING = ("futex", "write")
KEY = {"X-Service-Key": "a-service-key-of-length"}


@pytest.fixture
def server(make_server, tmp_path):
    redis = Redis(tmp_path / "redis").start()
    try:
        server = make_server({
            "EVENT_LOOPS": "1", "LOG_LEVEL": "error", "REDIS_URL": redis.url, "PRESENCE_GRACE_MS": "200",
            "SERVICE_API_KEY": KEY["X-Service-Key"],
        })  # fmt: skip
        eventually(lambda: server.get("/ready").json()["dependencies"]["redis"]["state"] == "up", "Redis is connected")
        yield server
        server.stop()
    finally:
        redis.kill()


def online(server) -> int:
    return server.get("/api/online-users?countOnly=true", headers=KEY).json()["count"]


def test_users_come_and_go_without_waking_another_thread(server, watched):
    with watched(server) as calls:
        # The renewal of the lease, and the question below for the count.
        background = Background(60, 30)
        for number in range(COUNT):
            with Chat(server.ws_url) as chat:
                chat.authenticate(f"user-{number}")
        eventually(lambda: online(server) == 0, "all users are gone")
        allowance = background.allowed()
    # A handshake, a question to Redis and its answer at least.
    assert len(calls.of("sendto")) >= 3 * COUNT, "strace did not see the users"
    made = calls.by_name()
    assert {name: made[name] for name in WAKING if made[name] > allowance} == {}
    # What arrives is read in one call: Redis' answers, its news, and what clients send.
    blocked = [call for call in calls.of("recvfrom") if call.result < 0]
    assert len(blocked) <= allowance


@pytest.fixture
def counted(tmp_path):
    env = {"LOG_LEVEL": "error", "EVENT_LOOPS": "1", "PRESENCE_GRACE_MS": "200", "SERVICE_API_KEY": KEY["X-Service-Key"]}
    with CountedFleet(tmp_path / "fleet", env) as fleet:
        yield fleet


def test_users_who_come_and_go_are_a_command_each_and_few_more(counted):
    # What the instance does by itself: leases, marks, counts, and the questions below. And twenty times a second a command for the
    # connections that broke, and one for the grace periods that ended.
    background = Background(60, 70)
    before = counted.redis.commands.copy()
    for number in range(COUNT):
        with Chat(counted.server.ws_url) as chat:
            chat.authenticate(f"user-{number}")
    eventually(lambda: online(counted.server) == 0, "all users are gone")
    made = counted.redis.commands - before
    allowance = background.allowed()
    # Coming. How the user stands comes with the answer.
    scripts = made["EVALSHA"] + made["EVAL"]
    assert COUNT <= scripts <= COUNT + allowance, made
    assert made.total() <= COUNT + 2 * allowance, made


def test_users_who_leave_together_are_few_commands(counted):
    chats = [Chat(counted.server.ws_url) for _ in range(COUNT)]
    for number, chat in enumerate(chats):
        chat.authenticate(f"user-{number}")
    background = Background(30, 30)
    before, writes = counted.redis.commands.copy(), counted.redis.writes
    for chat in chats:
        chat.close()
    eventually(lambda: online(counted.server) == 0, "all users are gone")
    allowance = background.allowed()
    made = counted.redis.commands - before
    # Each alone would be two: one for the broken connection, and one for the end of the grace period.
    assert made["EVALSHA"] + made["EVAL"] <= COUNT / 10 + allowance, made
    assert counted.redis.writes - writes <= COUNT / 10 + allowance
