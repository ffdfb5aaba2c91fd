"""The broker takes nothing more, and its connections stay: it shows, and nothing waits for it for ever."""

import pytest

from support.broker import RabbitMQ, collect
from support.deadline import eventually

ENVIRONMENT = {"SHUTDOWN_GRACE_MS": "500", "RABBITMQ_EVENT_MODE": "message"}


@pytest.fixture
def still(tmp_path):
    """A broker of the test's own, since it is not there for others."""
    broker = RabbitMQ(tmp_path / "rabbitmq").start()
    yield broker
    broker.kill()


def dependency(server) -> dict[str, str | None]:
    return server.get("/ready").json()["dependencies"]["rabbitmq"]


def fill(alice, count: int, text: str) -> None:
    """Sends without waiting for each; all are acknowledged at the end."""
    for number in range(count):
        alice.emit("send_message", {"roomId": "den", "message": f"{number}{text}"})
    alice.settle()


def in_the_den(make_server, make_chat, broker, queue):
    server = make_server({**ENVIRONMENT, "RABBITMQ_URL": broker.url, "RABBITMQ_QUEUE_NEW_MESSAGE": queue})
    alice, bob = make_chat(server, "alice"), make_chat(server, "bob")
    for chat in (alice, bob):
        chat.join("den")
    eventually(lambda: dependency(server)["state"] == "up", "the broker is there")
    return server, alice


def test_a_memory_alarm_shows_and_does_not_hold_up_the_end(make_server, make_chat, still, queue):
    server, alice = in_the_den(make_server, make_chat, still, queue)
    alice.send("den", "before")
    still.set_memory_limit(0)
    # More than sockets hold: a thread that continued to write would stand still as well.
    fill(alice, 400, "x" * 16_000)
    eventually(lambda: dependency(server)["state"] == "degraded", "it shows")
    ready = server.get("/ready")
    assert ready.status_code == 200 and ready.json()["status"] == "degraded"
    assert "low on memory" in dependency(server)["lastError"]
    assert "chat_broker_blocked 1" in server.get("/metrics").text and "low on memory" in server.log_text()
    assert server.terminate(30) == 0
    server.start()
    eventually(lambda: dependency(server)["state"] in ("degraded", "up"), "connected again")
    still.set_memory_limit(0.4)
    eventually(lambda: dependency(server)["state"] == "up", "it is over")
    seen = collect(still, queue, lambda seen: len(seen.events) == 401)
    assert len({event["data"]["messageId"] for event in seen.events}) == 401, "nothing is lost"


def test_a_full_socket_does_not_hold_up_the_end(make_server, make_chat, still, queue):
    server, alice = in_the_den(make_server, make_chat, still, queue)
    still.pause()
    fill(alice, 600, "x" * 16_000)
    eventually(lambda: "chat_outbox_messages 600" in server.get("/metrics").text, "they wait")
    assert server.terminate(30) == 0


def test_a_full_socket_is_given_up(make_server, make_chat, still, queue):
    server, alice = in_the_den(make_server, make_chat, still, queue)
    still.pause()
    fill(alice, 600, "x" * 16_000)
    eventually(lambda: dependency(server)["state"] == "down", "it shows")
    assert dependency(server)["lastError"], "with the reason"
    still.unpause()
    eventually(lambda: dependency(server)["state"] == "up", "it is there again")
    seen = collect(still, queue, lambda seen: len({event["data"]["messageId"] for event in seen.events}) >= 600)
    assert {len(text) for text in seen.texts()} >= {16_001, 16_002, 16_003}
