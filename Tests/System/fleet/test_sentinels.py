"""Redis behind sentinels: fail-overs under load, and sentinels that are away, disagree, or know no such primary."""

import asyncio
import time

import pytest

from crowds import check_everywhere, crowd
from readiness import metric, redis_state
from support.certificate import make_certificate
from support.deadline import eventually
from support.fleet import Fleet
from support.sentinels import NAME, Sentinel, WatchedRedis
from support.server import free_port
from support.services import Redis
from support.talkers import talking

KEY = {"X-Service-Key": "a-service-key-of-length"}
# Seconds from the sentinels' decision until every instance uses the new primary, and until presence is right again.
SEEN_WITHIN = 5
PRESENCE_WITHIN = 15


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    watched = WatchedRedis(tmp_path_factory.mktemp("watched"))
    yield watched.start()
    watched.stop()


def statuses(server, users: list[str]) -> dict[str, str]:
    answer = server.get(f"/api/presence?ids={','.join(users)}", headers=KEY).json()
    return {each["userId"]: each["status"] for each in answer}


class FailOver:
    """Watches one fail-over of the servers that a fleet uses."""

    def __init__(self, fleet: Fleet, watched: WatchedRedis):
        self._fleet = fleet
        self._watched = watched
        self.old = watched.primary()
        self.new = watched.replica()
        self._before = [metric(server, "chat_redis_failovers_total") for server in fleet.servers]
        self.decided_at = 0.0

    def wait_for_decision(self) -> None:
        eventually(lambda: any(each.primary() == self.new.port for each in self._watched.sentinels), "the decision", every=0.01)
        self.decided_at = time.monotonic()

    def wait_until_seen(self) -> float:
        """The seconds since the decision."""

        def is_seen() -> bool:
            return all(
                metric(server, "chat_redis_failovers_total") > before and redis_state(server)[0] == "up"
                for server, before in zip(self._fleet.servers, self._before)
            )

        eventually(is_seen, "every instance uses the new primary", every=0.05)
        return time.monotonic() - self.decided_at

    def wait_until_presence_is_right(self, expected: dict[str, str]) -> float:
        """The seconds since the decision, when every instance and Redis itself say so."""
        online = {user for user, status in expected.items() if status != "offline"}

        def is_right() -> bool:
            with self.new.client() as keys:
                if set(keys.smembers("online_users")) != online:
                    return False
            return all(statuses(server, list(expected)) == expected for server in self._fleet.servers)

        eventually(is_right, "presence is right everywhere", every=0.05)
        return time.monotonic() - self.decided_at


def test_fail_overs_under_load(make_fleet, make_chat, watched):
    """The first is ordered while the old primary lives on as a replica, the second follows the death of the primary."""
    fleet = make_fleet({"REDIS_URL": watched.url(), "SERVICE_API_KEY": KEY["X-Service-Key"]})
    # Twenty clients, each with ten messages a second where the machine is fast enough.
    talkers = crowd(fleet)
    quiet = {name: make_chat(server, name) for name, server in zip(["busy", "gone"], fleet.servers)}
    figures = []

    async def through() -> None:
        async with talking(talkers) as talk:
            await talk.progress(3)
            begun, before = time.monotonic(), sum(len(talker.acknowledged) for talker in talkers)
            expected = {talker.user: "online" for talker in talkers} | {"busy": "online", "gone": "online"}
            for is_killed in (False, True):
                fail_over = FailOver(fleet, watched)
                if is_killed:
                    fail_over.old.kill()
                else:
                    watched.fail_over()
                await talk.progress(1)
                # The old primary may take this change, or neither server.
                status = "away" if is_killed else "busy"
                await asyncio.to_thread(quiet["busy"].ask, "set_status", {"status": status})
                expected["busy"] = status
                if is_killed:
                    quiet["gone"].close()
                    expected["gone"] = "offline"
                await asyncio.to_thread(fail_over.wait_for_decision)
                seen = await asyncio.to_thread(fail_over.wait_until_seen)
                presence = await asyncio.to_thread(fail_over.wait_until_presence_is_right, expected)
                figures.append((seen, presence))
                if is_killed:
                    fail_over.old.start()
                await talk.progress(3)
                await asyncio.to_thread(watched.wait_until_ready_for_fail_over)
            rate = (sum(len(talker.acknowledged) for talker in talkers) - before) / (time.monotonic() - begun)
            print(f"\n{rate:.0f} messages a second; (seen, presence right) after {figures} s")

    asyncio.run(through())
    check_everywhere(fleet, talkers)
    assert not any(talker.refused for talker in talkers), "no message is refused"
    assert all(len(talker.closes) == 1 for talker in talkers), "no client is disconnected"
    for seen, presence in figures:
        assert seen <= SEEN_WITHIN and presence <= PRESENCE_WITHIN, figures


def test_one_sentinel_is_enough(make_server, watched, tmp_path):
    """The others are away, disagree, or protect themselves with a password."""
    other = Redis(tmp_path / "other")
    liar = Sentinel(tmp_path / "liar", other.port, quorum=1)
    locked = Sentinel(tmp_path / "locked", watched.primary().port, password="sesame")
    away = Sentinel(tmp_path / "away", other.port)
    for service in (other, liar, locked):
        service.start()
    try:
        sentinels = [away, liar, locked, *watched.sentinels[:2]]
        server = make_server({"REDIS_URL": watched.url(sentinels=sentinels)})
        eventually(lambda: redis_state(server)[0] == "up", "it is connected")
        assert metric(server, "chat_redis_sentinels_agreeing") == 2
        with watched.primary().client() as keys:
            eventually(lambda: keys.zcard("chat-service:instances") >= 1, "it is registered at the right server")
        with other.client() as keys:
            assert keys.dbsize() == 0
        log = server.log_text()
        for sentinel, problem in [
            (away, "Connection refused"),
            (liar, f"it names 127.0.0.1:{other.port}"),
            (locked, "Redis asks for a password and none is configured (NOAUTH)"),
        ]:
            assert f"sentinel 127.0.0.1:{sentinel.port}: {problem}" in log
    finally:
        for service in (other, liar, locked):
            service.kill()


def test_sentinels_with_a_password(make_server, watched, tmp_path):
    sentinel = Sentinel(tmp_path / "locked", watched.primary().port, password="sesame")
    sentinel.start()
    # The rights that the documents name.
    rights = ["+ping", "+sentinel|get-master-addr-by-name", "+sentinel|master"]
    try:
        with sentinel.client() as client:
            client.execute_command("ACL", "SETUSER", "reader", "on", ">sesame", *rights)
        url = watched.url(sentinels=[sentinel])
        right = make_server({"REDIS_URL": f"{url}?sentinel_user=reader&sentinel_password=sesame"})
        eventually(lambda: redis_state(right)[0] == "up", "it is connected")
        wrong = make_server({"REDIS_URL": f"{url}?sentinel_password=swordfish"})
        eventually(lambda: "(WRONGPASS)" in (redis_state(wrong)[1] or ""), "the reason is shown")
        assert wrong.get("/ready").status_code == 200, "an instance serves without Redis"
        assert "swordfish" not in wrong.log_text() and "sesame" not in right.log_text()

        sentinel.kill()
        eventually(lambda: redis_state(right)[0] == "degraded", "the loss is shown")
        assert "a fail-over is not seen" in redis_state(right)[1]
        sentinel.start()
        with sentinel.client() as client:
            client.execute_command("ACL", "SETUSER", "reader", "on", ">sesame", *rights)
        eventually(lambda: redis_state(right)[0] == "up", "it is over")
    finally:
        sentinel.kill()


def test_over_tls(make_server, tmp_path):
    certificate, key = make_certificate(tmp_path / "certificate")
    files = {"tls-cert-file": certificate, "tls-key-file": key, "tls-ca-cert-file": certificate, "tls-auth-clients": "no"}
    server_port, sentinel_port = free_port(), free_port()
    options = [word for name, value in files.items() for word in (f"--{name}", str(value))]
    settings = [f"tls-port {sentinel_port}", "tls-replication yes", *(f"{name} {value}" for name, value in files.items())]
    redis = Redis(tmp_path / "redis", options=["--tls-port", str(server_port), *options])
    sentinel = Sentinel(tmp_path / "sentinel", server_port, quorum=1, settings=settings)
    try:
        redis.start()
        sentinel.start()
        url = f"rediss+sentinel://127.0.0.1:{sentinel_port}/{NAME}"
        server = make_server({"REDIS_URL": f"{url}?cacertfile={certificate}"})
        eventually(lambda: redis_state(server)[0] == "up", "it is connected")
        strict = make_server({"REDIS_URL": url})
        eventually(lambda: "certificate verify failed" in (redis_state(strict)[1] or ""), "the certificate is checked")
    finally:
        sentinel.kill()
        redis.kill()


def test_a_name_that_no_sentinel_knows(make_server, make_chat, watched):
    server = make_server({"REDIS_URL": watched.url("chat-secondary")})
    eventually(lambda: redis_state(server)[0] == "down", "the state is shown")
    reason = redis_state(server)[1]
    assert "no sentinel names the primary chat-secondary" in reason
    assert reason.count("it knows no primary of that name") == 3
    alice = make_chat(server, "alice")
    alice.join("r")
    assert alice.send("r", "without Redis")["seq"] == 1
