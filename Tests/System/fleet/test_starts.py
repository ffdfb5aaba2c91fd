"""A start against servers that are not there or do not let the service in."""

import pytest

from support.deadline import eventually
from support.server import Server, free_port
from support.services import MongoDB, Redis


def refused_start(server: Server) -> str:
    server.start(wait=False)
    code = server.wait()
    assert code is not None and code > 0, "an exit code, not a crash"
    log = server.log_text()
    assert '"level":"error"' in log and "cannot start" in log
    return log


@pytest.mark.parametrize(
    "host, says",
    [("127.0.0.1:{port}", "{port}"), ("no-such-host.invalid:27017", "no-such-host.invalid")],
    ids=["no-listener", "unknown-host"],
)
def test_without_mongodb_there_is_no_start(make_server, host, says):
    port = str(free_port())
    uri = f"mongodb://someone:s3cret-word@{host.format(port=port)}/chat"
    log = refused_start(make_server({"MONGODB_URI": uri}, start=False))
    assert says.format(port=port) in log, "it names what it could not reach"
    assert "s3cret-word" not in log


@pytest.mark.parametrize("uri", ["mongodb://", "mongodb://127.0.0.1:99999999", "mongo://127.0.0.1"])
def test_a_connection_string_that_is_none(make_server, uri):
    server = make_server({"MONGODB_URI": uri}, start=False)
    server.start(wait=False)
    assert server.wait() in (1, 78)
    assert "MONGODB_URI" in server.log_text() or "connection string" in server.log_text()


def test_mongodb_with_a_wrong_password(make_server, tmp_path):
    mongo = MongoDB(tmp_path / "mongo")
    mongo.start()
    try:
        with mongo.client() as client:
            client["admin"].command("createUser", "chat", pwd="right-word", roles=[{"role": "root", "db": "admin"}])
        mongo.kill()
        mongo.options = ["--auth"]
        mongo.start()
        right = mongo.uri().replace("//", "//chat:right-word@") + "?authSource=admin"
        log = refused_start(make_server({"MONGODB_URI": right.replace("right", "wrong")}, start=False))
        assert "uthentication" in log and "wrong-word" not in log
        server = make_server({"MONGODB_URI": right})
        assert server.get("/ready").json()["dependencies"]["store"]["state"] == "up"
        assert "right-word" not in server.log_text()
    finally:
        mongo.kill()


def _redis_trouble(server: Server) -> str | None:
    redis = server.get("/ready").json()["dependencies"]["redis"]
    return redis["lastError"] if redis["state"] == "down" else None


def test_without_redis_it_starts_degraded_and_recovers(make_server, make_chat, tmp_path):
    redis = Redis(tmp_path / "redis")
    server = make_server({"REDIS_URL": redis.url})
    try:
        assert eventually(lambda: _redis_trouble(server), "the trouble is named")
        ready = server.get("/ready")
        assert ready.status_code == 200 and ready.json()["status"] == "degraded" and ready.json()["ready"] is True
        alice, bob = make_chat(server, "alice"), make_chat(server, "bob")
        for chat in (alice, bob):
            chat.join("r")
        alice.send("r", "without")
        assert bob.expect("new_message")["message"] == "without"
        redis.start()
        eventually(lambda: server.get("/ready").json()["status"] == "ok", "recovered by itself")
        alice.send("r", "with")
        assert bob.expect("new_message")["message"] == "with"
        eventually(lambda: redis.client().llen("chat:history:r") > 0, "and the cache is used")
    finally:
        redis.kill()


def test_redis_with_a_wrong_password(make_server, make_chat, tmp_path):
    redis = Redis(tmp_path / "redis", password="right-word")
    redis.start()
    try:
        server = make_server({"REDIS_URL": redis.url.replace("right", "wrong")})
        trouble = eventually(lambda: _redis_trouble(server), "the trouble is named")
        assert "pass" in trouble.lower() and "wrong-word" not in trouble
        assert server.get("/ready").status_code == 200
        alice = make_chat(server, "alice")
        alice.join("r")
        assert alice.send("r", "all the same")["seq"] == 1
        assert "wrong-word" not in server.log_text()
        server.restart({"REDIS_URL": redis.url})
        eventually(lambda: _redis_trouble(server) is None, "the right one is taken")
        assert "right-word" not in server.log_text()
    finally:
        redis.kill()


def test_a_redis_host_that_does_not_exist(make_server):
    server = make_server({"REDIS_HOST": "no-such-host.invalid", "REDIS_PASSWORD": "s3cret-word"})
    assert eventually(lambda: _redis_trouble(server), "the trouble is named")
    assert server.get("/ready").status_code == 200
    assert "s3cret-word" not in server.log_text()
    assert server.terminate() == 0, "and it does not hold up the end"
