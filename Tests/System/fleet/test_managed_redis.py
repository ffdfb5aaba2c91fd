"""Redis as vendors of managed services run it: TLS, a user with few rights, no CONFIG; and times in which it takes no writes."""

import re

import pytest

from readiness import redis_state, refusals
from support.certificate import make_certificate
from support.deadline import eventually
from support.server import free_port
from support.services import Redis

PASSWORD = "a/b@c d"
IN_URL = "a%2Fb%40c%20d"


@pytest.fixture
def make_redis(tmp_path):
    made: list[Redis] = []

    def make(**options) -> Redis:
        made.append(Redis(tmp_path / f"redis-{len(made)}", **options))
        made[-1].start()
        return made[-1]

    yield make
    for redis in made:
        redis.kill()


def test_tls_a_user_with_few_rights_and_no_config(make_redis, make_server, make_chat, tmp_path):
    certificate, key = make_certificate(tmp_path / "certificate")
    port = free_port()
    files = ["--tls-cert-file", str(certificate), "--tls-key-file", str(key), "--tls-ca-cert-file", str(certificate)]
    options = ["--tls-port", str(port), *files, "--tls-auth-clients", "no", "--rename-command", "CONFIG", ""]
    redis = make_redis(password="of the administrator", options=options)
    keys = redis.client()
    rights = ["~*", "&*", "+@all", "-@admin", "-@dangerous"]
    keys.execute_command("ACL", "SETUSER", "chat", "on", f">{PASSWORD}", *rights)
    url = f"rediss://chat:{IN_URL}@127.0.0.1:{port}?cacertfile={certificate}"
    one, two = (make_server({"REDIS_URL": url, "INSTANCE_ID": name}) for name in ("one", "two"))
    for server in (one, two):
        eventually(lambda s=server: redis_state(s)[0] == "up", "it is connected")

    alice, bob = make_chat(one, "alice"), make_chat(two, "bob")
    bob.ask("subscribe_presence", {"userIds": ["alice"]})
    alice.ask("set_status", {"status": "busy"})
    assert bob.expect("user_status_change", lambda change: change["status"] == "busy")
    # On one instance only: each has a store of its own here, and two numbers 1 of a room would drop each other's list.
    alice.join("r")
    alice.send("r", "from alice")
    eventually(lambda: keys.exists("chat:history:r"), "the history is cached")
    one.kill()
    eventually(lambda: not keys.sismember("online_users", "alice"), "the dead instance's sessions are removed")
    assert refusals(two) == {} and redis_state(two) == ("up", None)

    # Without the file no known authority has signed the certificate.
    strict = make_server({"REDIS_URL": url.split("?")[0]})
    eventually(lambda: "certificate verify failed" in (redis_state(strict)[1] or ""), "the certificate is checked")
    assert PASSWORD not in strict.log_text() and IN_URL not in strict.log_text()


def test_too_few_replicas_for_writes(make_redis, make_server, make_chat):
    redis = make_redis()
    server = make_server({"REDIS_URL": redis.url})
    eventually(lambda: redis_state(server)[0] == "up", "it is connected")
    redis.client().config_set("min-replicas-to-write", 1)
    eventually(lambda: "NOREPLICAS" in (redis_state(server)[1] or ""), "the reason is shown")
    assert redis_state(server)[0] == "degraded" and refusals(server).keys() == {"NOREPLICAS"}
    alice = make_chat(server, "alice")
    alice.join("r")
    assert alice.send("r", "all the same")["seq"] == 1
    redis.client().config_set("min-replicas-to-write", 0)
    eventually(lambda: redis.client().sismember("online_users", "alice"), "presence is written afterwards")


def test_a_replica_that_lost_its_primary_is_not_used(make_redis, make_server):
    redis = make_redis(options=["--replica-serve-stale-data", "no"])
    redis.client().replicaof("127.0.0.1", free_port())
    server = make_server({"REDIS_URL": redis.url})
    eventually(lambda: redis_state(server)[0] == "down", "it is left")
    assert re.search("replica|MASTERDOWN", redis_state(server)[1])
    redis.client().replicaof("NO", "ONE")
    eventually(lambda: redis_state(server)[0] == "up", "it is used once it is a primary")
