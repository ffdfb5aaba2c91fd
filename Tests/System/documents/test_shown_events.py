"""What the documents show of events: the event itself, and the consumer that takes it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Iterator

import pytest
from blocks import ALL
from support.broker import RabbitMQ, collect
from support.deadline import TIMEOUT_SECONDS, eventually
from support.server import ROOT, clean_environment, die_with_parent


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    broker = RabbitMQ(tmp_path_factory.mktemp("rabbitmq")).start()
    yield broker
    broker.kill()


def send(make_server, make_chat, broker: RabbitMQ, queue: str) -> None:
    """Ada writes to Ben while he is absent."""
    server = make_server({"RABBITMQ_URL": broker.url, "RABBITMQ_QUEUE_NEW_MESSAGE": queue})
    ada = make_chat(server, "ada", "ada")
    ada.join("direct:ada:ben")
    ada.send("direct:ada:ben", "hi")


def test_an_event_is_as_shown(make_server, make_chat, broker):
    send(make_server, make_chat, broker, "shown")
    (event,) = collect(broker, "shown", lambda seen: len(seen.events) == 1).events
    assert with_kinds(event) == with_kinds(json.loads(ALL["docs/protocol.md › Events for consumers"].text))


def with_kinds(event: dict) -> dict:
    """The event, with what differs from one to the next replaced by what kind of value it is."""
    data = event["data"] | {name: type(event["data"][name]).__name__ for name in ("messageId", "timestamp")}
    return event | {"timestamp": len(event["timestamp"]), "data": data}


def test_the_consumer_names_the_users_it_would_notify(make_server, make_chat, broker, tmp_path: Path):
    install, run = ALL["examples/notification-consumer/README.md › A notification consumer"].text.splitlines()
    assert install.startswith("python3 -m venv .venv && .venv/bin/pip install --requirement requirements.txt")
    assert run.startswith("RABBITMQ_URL=amqp://localhost .venv/bin/python ")
    run = run.replace("RABBITMQ_URL=amqp://localhost", f"exec env RABBITMQ_URL={broker.url} RABBITMQ_QUEUE_NEW_MESSAGE=consumed")
    run = run.replace(".venv/bin/python", sys.executable)
    log = tmp_path / "consumer.log"
    with log.open("wb") as output:
        consumer = subprocess.Popen(
            ["bash", "-c", run],
            cwd=ROOT / "examples" / "notification-consumer",
            env=clean_environment({"PYTHONDONTWRITEBYTECODE": "1"}),
            stdin=subprocess.DEVNULL,
            stderr=output,
            preexec_fn=die_with_parent,
        )
    try:
        send(make_server, make_chat, broker, "consumed")
        eventually(lambda: "notify ben: message " in log.read_text(), "Ben would be notified", 60)
        os.kill(consumer.pid, signal.SIGTERM)
        assert consumer.wait(TIMEOUT_SECONDS) == 0, log.read_text()
    finally:
        consumer.kill()
        consumer.wait()
