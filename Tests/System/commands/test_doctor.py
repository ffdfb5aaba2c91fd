"""`doctor`: what it finds, what it advises, and that it changes nothing."""

import json
import os
import re
import resource
import socket
from pathlib import Path

import pytest
from support.broker import RabbitMQ
from support.command import run
from support.deadline import eventually
from support.services import MongoDB, Redis

SOUND = {"JWT_SECRET": "k" * 32, "SERVICE_API_KEY": "s" * 32, "PORT": "1"}


def examine(directory: Path, environment: dict[str, str], *options: str, **settings) -> tuple[int, list[dict]]:
    """The exit code, and the findings that are not well."""
    done = run(directory, "doctor", "--json", *options, env=environment, **settings)
    assert done.stderr == "", done.stderr
    report = json.loads(done.stdout)
    findings = [finding for finding in report["findings"] if finding["level"] in ("warning", "error")]
    assert all(finding["advice"] for finding in findings)
    assert report["errors"] == sum(finding["level"] == "error" for finding in findings)
    assert report["healthy"] == (report["errors"] == 0)
    return done.returncode, findings


def about(findings: list[dict], check: str) -> list[dict]:
    return [finding for finding in findings if finding["check"] == check]


def test_a_sound_host_has_no_errors(make_server, tmp_path):
    server = make_server(SOUND)
    done = run(server.directory, "doctor", env=server.env)
    assert done.returncode == 0, done.stdout
    assert f"it runs on port {server.port}, and all that it uses is up" in done.stdout
    assert re.search(r"the embedded store has version \d+ and is in use", done.stdout)
    assert done.stdout.splitlines()[-1].startswith("0 errors")


def test_a_configuration_that_is_not_allowed_is_explained(tmp_path):
    code, findings = examine(tmp_path, {"PORT": "x", "JWT_SECRETS": "y"})
    assert code == 78
    assert any("PORT=x is not allowed" in finding["finding"] for finding in about(findings, "configuration"))
    assert any("did you mean JWT_SECRET?" in finding["finding"] for finding in findings)


def test_secrets_are_not_shown(tmp_path):
    environment = SOUND | {"MONGODB_URI": "mongodb://ann:hunter2@127.0.0.1:1/chat", "REDIS_URL": "redis://:hunter2@127.0.0.1:1", "RABBITMQ_URL": "amqp://ann:hunter2@127.0.0.1:1"}  # fmt: skip
    done = run(tmp_path, "doctor", env=environment)
    assert done.returncode == 1 and "hunter2" not in done.stdout + done.stderr


def test_too_few_descriptors_for_the_connections(tmp_path):
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))

    code, findings = examine(tmp_path, SOUND | {"MAX_CONNECTIONS": "1000"}, preexec_fn=limit)
    (finding,) = about(findings, "descriptors")
    assert code == 1 and "256 files" in finding["finding"] and "LimitNOFILE" in finding["advice"]
    code, findings = examine(tmp_path, SOUND, preexec_fn=limit)
    assert code == 0 and about(findings, "descriptors")[0]["level"] == "warning"
    code, _ = examine(tmp_path, SOUND, "--strict", preexec_fn=limit)
    assert code == 1


def test_files_that_others_may_read(certificate, tmp_path):
    chain, key = certificate
    data, settings = tmp_path / "data", tmp_path / ".env"
    data.mkdir(mode=0o755)
    settings.write_text("LOG_LEVEL=info\n")
    key.chmod(0o644)
    settings.chmod(0o644)
    environment = SOUND | {"DATA_DIR": str(data), "TLS_CERT_FILE": str(chain), "TLS_KEY_FILE": str(key)}
    _, findings = examine(tmp_path, environment)
    assert {finding["advice"] for finding in about(findings, "permissions")} == {f"chmod o-rwx {key}", "chmod o-rwx .env"}
    assert f"chmod 700 {data}" in {finding["advice"] for finding in about(findings, "data")}
    # The certificate of the tests is made for two days.
    (expiry,) = about(findings, "certificate")
    assert expiry["level"] == "warning" and "reload" in expiry["advice"]
    assert re.search("[12] more days", expiry["finding"]), expiry
    for path in (key, settings):
        path.chmod(0o600)
    data.chmod(0o700)
    _, findings = examine(tmp_path, environment)
    assert about(findings, "permissions") == about(findings, "data") == []


def test_another_program_on_the_port(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code, findings = examine(tmp_path, SOUND | {"HOST": "127.0.0.1", "PORT": str(port)})
    assert code == 1 and f"port {port}" in about(findings, "service")[0]["finding"]


def test_what_a_running_service_lacks(make_server):
    server = make_server(SOUND | {"REDIS_URL": "redis://127.0.0.1:1"})
    eventually(lambda: server.get("/ready").json()["dependencies"]["redis"]["state"] == "down", "Redis is down")
    code, findings = examine(server.directory, server.env)
    assert code == 1 and "reports redis as down" in about(findings, "service")[0]["finding"]
    assert about(findings, "redis")[0]["level"] == "error"


@pytest.fixture
def make_redis(tmp_path):
    servers = []

    def make(*options: str, password: str | None = None) -> Redis:
        server = Redis(tmp_path / f"redis-{len(servers)}", password, options)
        servers.append(server)
        server.start()
        return server

    yield make
    for server in servers:
        server.kill()


def test_redis_that_is_sound_keeps_nothing_of_the_examination(make_redis, tmp_path):
    redis = make_redis()
    done = run(tmp_path, "doctor", env=SOUND | {"REDIS_URL": redis.url})
    assert done.returncode == 0, done.stdout
    for line in ("its user may do all that the service does", "evicts nothing", "the clocks of this host and of Redis agree"):
        assert line in done.stdout
    with redis.client() as client:
        assert client.dbsize() == 0


def test_redis_that_evicts(make_redis, tmp_path):
    redis = make_redis("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru")
    code, findings = examine(tmp_path, SOUND | {"REDIS_URL": redis.url})
    assert code == 1 and "allkeys-lru" in about(findings, "redis")[0]["finding"]
    assert "noeviction" in about(findings, "redis")[0]["advice"]


def test_what_redis_does_not_allow(make_redis, tmp_path):
    redis = make_redis()
    with redis.client() as client:
        client.execute_command("ACL SETUSER chat on >secret-of-chat ~* &none +@all -@admin -@dangerous -zadd -srandmember")
        client.execute_command("ACL SETUSER good on >secret-of-chat ~* &* +@all -@admin -@dangerous")
    address = f"127.0.0.1:{redis.port}"
    code, findings = examine(tmp_path, SOUND | {"REDIS_URL": f"redis://chat:secret-of-chat@{address}"})
    (finding,) = about(findings, "redis")
    assert code == 1 and finding["finding"] == "its access list does not allow: SRANDMEMBER, ZADD, PUBLISH"
    # Without the right to INFO the eviction policy is not seen, which is no error.
    code, findings = examine(tmp_path, SOUND | {"REDIS_URL": f"redis://good:secret-of-chat@{address}"})
    assert (code, about(findings, "redis")) == (0, [])
    code, findings = examine(tmp_path, SOUND | {"REDIS_URL": f"redis://chat:wrong@{address}"})
    assert code == 1 and "user or password" in about(findings, "redis")[0]["finding"]


def test_mongodb(tmp_path):
    mongo = MongoDB(tmp_path / "mongo")
    mongo.start()
    try:
        done = run(tmp_path, "doctor", env=SOUND | {"MONGODB_URI": mongo.uri()})
        assert done.returncode == 0, done.stdout
        assert "answers (single, database chat)" in done.stdout or "answers (replicaSet, database chat)" in done.stdout
        assert "./data" not in done.stdout
        assert "the next start makes" in done.stdout and "the clocks of this host and of MongoDB agree" in done.stdout
        with mongo.client() as client:
            assert client.chat.list_collection_names() == []
            client.chat.messages.insert_one({"roomId": "old", "message": "hello"})
        _, findings = examine(tmp_path, SOUND | {"MONGODB_URI": mongo.uri()})
        assert any("have no numbers" in finding["finding"] for finding in about(findings, "mongodb"))
    finally:
        mongo.kill()


def test_rabbitmq(tmp_path):
    broker = RabbitMQ(tmp_path / "rabbitmq").start()
    try:
        done = run(tmp_path, "doctor", env=SOUND | {"RABBITMQ_URL": broker.url, "RABBITMQ_QUEUE_PRESENCE": "presence"})
        assert done.returncode == 0, done.stdout
        assert "RabbitMQ 3" in done.stdout or "RabbitMQ 4" in done.stdout
        assert "queues that the service will declare: new_message, presence" in done.stdout
        # Asked again, they are still missing: nothing was declared.
        again = run(tmp_path, "doctor", env=SOUND | {"RABBITMQ_URL": broker.url, "RABBITMQ_QUEUE_PRESENCE": "presence"})
        assert "queues that the service will declare: new_message, presence" in again.stdout
        wrong = broker.url.replace("guest:guest", "guest:wrong")
        code, findings = examine(tmp_path, SOUND | {"RABBITMQ_URL": wrong})
        assert code == 1 and about(findings, "rabbitmq")[0]["level"] == "error"
    finally:
        broker.kill()


def test_servers_that_decide_about_tokens(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        environment = {"AUTH_GRPC_URL": f"grpc://{address}", "JWT_JWKS_URL": f"http://{address}/keys", "PORT": "1"}
        code, findings = examine(tmp_path, environment)
    assert code == 1
    for check in ("key_set", "auth_service"):
        (finding,) = about(findings, check)
        assert finding["level"] == "error" and address in finding["finding"] and "no answer in time" in finding["finding"]


def test_it_writes_nothing(tmp_path):
    before = sorted(os.listdir(tmp_path))
    assert examine(tmp_path, SOUND)[0] == 0
    assert sorted(os.listdir(tmp_path)) == before
