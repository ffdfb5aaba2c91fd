"""The compose file: images, limits, health checks, logins, and settings that the service knows."""

import re
from typing import Any

import pytest
import yaml
from support.command import run
from support.server import ROOT

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
INSTANCES = {name: service for name, service in SERVICES.items() if service.get("image") == "chat-service"}
OTHERS = {name: service for name, service in SERVICES.items() if "build" not in service}


def filled(value: Any) -> str:
    """A value with the defaults of its variables."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", str(value))


@pytest.mark.parametrize("name", OTHERS)
def test_images_are_pinned_and_checked(name):
    service = OTHERS[name]
    assert re.fullmatch(r"[a-z]+:\d+\.\d+\.\d+(-[a-z]+)?", service["image"]), service["image"]
    check = service["healthcheck"]
    assert check["test"][0] in ("CMD", "CMD-SHELL") and {"interval", "timeout", "retries"} <= set(check)


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_has_limits(name):
    service = SERVICES[name]
    assert {"mem_limit", "pids_limit", "restart"} <= set(service)


def test_instances_are_checked_by_the_image():
    assert len(INSTANCES) == 4
    assert 'HEALTHCHECK --interval=5s' in (ROOT / "Dockerfile").read_text()


@pytest.mark.parametrize("name", INSTANCES)
def test_the_settings_of_instances_are_allowed(name, tmp_path):
    known = set(re.findall(r"^\| `(\w+)`", (ROOT / "docs/configuration.md").read_text(), re.MULTILINE))
    settings = {key: filled(value) for key, value in INSTANCES[name]["environment"].items()}
    assert set(settings) <= known
    done = run(tmp_path, "--check-config", env=settings)
    assert done.returncode == 0, done.stderr


def test_every_server_asks_for_a_login():
    member = {key: filled(value) for key, value in SERVICES["chat-1"]["environment"].items()}
    mongo = SERVICES["mongo"]["environment"]
    user, password = re.match(r"mongodb://(\w+):(\w+)@mongo:27017/(?:chat)$", member["MONGODB_URI"]).groups()
    assert (user, password) == ("chat", filled(mongo["MONGODB_PASSWORD"])) and filled(mongo["MONGO_INITDB_ROOT_PASSWORD"])
    users = (ROOT / "deploy/compose/mongo-users.js").read_text()
    assert 'user: "chat"' in users and "process.env.MONGODB_PASSWORD" in users and 'role: "readWrite", db: "chat"' in users
    (mount,) = [volume for volume in SERVICES["mongo"]["volumes"] if "docker-entrypoint-initdb.d" in volume]
    assert (ROOT / mount.split(":")[0]).is_file()
    redis = filled(SERVICES["redis"]["command"])
    (secret,) = re.findall(r"--requirepass (\w+)", redis)
    assert f":{secret}@redis:6379" in member["REDIS_URL"] and "--maxmemory-policy noeviction" in redis
    assert "chat:chat@rabbitmq:5672" in member["RABBITMQ_URL"]
    # One variable sets a password at both ends.
    text = (ROOT / "docker-compose.yml").read_text()
    for name in ("MONGODB_PASSWORD", "REDIS_PASSWORD", "RABBITMQ_PASSWORD"):
        assert text.count("${" + name) >= 2, name


def test_only_the_balancer_and_the_single_instance_are_reachable():
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"chat", "nginx"}
    assert all(port.startswith("${PUBLISH_ADDRESS:-127.0.0.1}:") for name in ("chat", "nginx") for port in SERVICES[name]["ports"])
