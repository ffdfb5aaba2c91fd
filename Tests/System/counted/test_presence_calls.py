"""System calls for users that connect and leave on an instance with Redis."""

import pytest
from background import Background

from support.chat import Chat
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
