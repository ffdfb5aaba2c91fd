"""The broker fails in every way, and each acknowledged message has its event afterwards."""

import threading
from contextlib import contextmanager

import pytest

from support.broker import collect
from support.chat import Chat
from support.deadline import eventually
from support.server import free_port


class Load:
    """Sends steadily from a thread of its own, and remembers what was acknowledged."""

    def __init__(self, url: str, room: str, rate: float):
        self.sent: list[str] = []
        self._stop = threading.Event()
        self._chat = Chat(url)
        self._chat.authenticate("sender")
        self._chat.join(room)
        self._thread = threading.Thread(target=self._run, args=(room, 1 / rate), daemon=True)

    def _run(self, room: str, pause: float) -> None:
        while not self._stop.wait(pause):
            text = f"message {len(self.sent)}"
            self._chat.send(room, text)
            self.sent.append(text)

    @contextmanager
    def running(self):
        self._thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            self._thread.join(10)
            self._chat.close()


def dependency(server) -> dict[str, str | None]:
    return server.get("/ready").json()["dependencies"]["rabbitmq"]


def broker_state(server) -> str | None:
    return dependency(server)["state"]


@pytest.fixture
def audience(make_chat):
    def join(server):
        make_chat(server, "receiver").join("den")

    return join


def start(make_server, url: str, **env):
    return make_server({"RABBITMQ_URL": url, **env})


def test_a_broker_killed_under_load(make_server, broker, queue, audience):
    server = start(make_server, broker.url, RABBITMQ_QUEUE_NEW_MESSAGE=queue)
    audience(server)
    with Load(server.ws_url, "den", rate=100).running() as load:
        eventually(lambda: len(load.sent) > 100, "messages flow")
        broker.save_queues()
        broker.kill()
        eventually(lambda: broker_state(server) == "down", "the outage shows")
        assert server.get("/ready").status_code == 200, "an instance serves without its broker"
        eventually(lambda: len(load.sent) > 300, "sends go on without a broker")
        broker.start()
        eventually(lambda: broker_state(server) == "up", "the broker is back")
        eventually(lambda: len(load.sent) > 500, "messages flow again")
    sent = set(load.sent)
    seen = collect(broker, queue, lambda seen: sent <= set(seen.texts()))
    assert set(seen.texts()) == sent


def test_a_broker_that_stands_still(make_server, broker, queue, audience):
    server = start(make_server, broker.url + "?heartbeat=1", RABBITMQ_QUEUE_NEW_MESSAGE=queue)
    audience(server)
    with Load(server.ws_url, "den", rate=50).running() as load:
        eventually(lambda: len(load.sent) > 20, "messages flow")
        broker.pause()
        eventually(lambda: broker_state(server) == "down", "missed heartbeats show")
        broker.unpause()
        eventually(lambda: broker_state(server) == "up", "the broker is back")
    sent = set(load.sent)
    collect(broker, queue, lambda seen: sent <= set(seen.texts()))


def test_a_broker_that_comes_later(make_server, make_chat, broker, queue, audience):
    broker.kill()
    try:
        server = start(make_server, broker.url, RABBITMQ_QUEUE_NEW_MESSAGE=queue)
        audience(server)
        alice = make_chat(server, "alice")
        alice.join("den")
        alice.send("den", "early")
        eventually(lambda: "reached" in (dependency(server)["lastError"] or ""), "the outage shows")
        assert dependency(server)["state"] == "down"
    finally:
        broker.start()
    eventually(lambda: broker_state(server) == "up", "the broker is found")
    assert collect(broker, queue, lambda seen: seen.events).texts() == ["early"]


def test_a_server_killed_with_events_pending_publishes_them_when_it_is_back(
    make_server, make_chat, broker, queue, audience
):
    env = {"RABBITMQ_QUEUE_NEW_MESSAGE": queue}
    server = start(make_server, f"amqp://127.0.0.1:{free_port()}", **env)
    audience(server)
    alice = make_chat(server, "alice")
    alice.join("den")
    for n in range(50):
        alice.send("den", str(n))
    server.kill()
    # Its id is random at each start: the pending events are those of a dead instance.
    server.restart({"RABBITMQ_URL": broker.url})
    seen = collect(broker, queue, lambda seen: len(seen.events) == 50)
    assert seen.texts() == [str(n) for n in range(50)]


@pytest.mark.parametrize(
    "credentials, vhost, says",
    [("guest:wrong-secret", "", "ACCESS_REFUSED"), ("guest:guest", "nowhere", "nowhere")],
    ids=["a wrong password", "an unknown virtual host"],
)
def test_a_refused_sign_in_is_named_and_holds_nothing_up(
    make_server, make_chat, broker, credentials, vhost, says
):
    server = start(make_server, f"amqp://{credentials}@127.0.0.1:{broker.port}/{vhost}")
    chat = make_chat(server, "alice")
    chat.join("den")
    assert chat.send("den", "hello")["success"]

    def error():
        return dependency(server)["lastError"] or ""

    eventually(lambda: says in error(), "the refusal shows")
    assert "wrong-secret" not in server.log_text()


def test_a_host_that_does_not_exist(make_server, make_chat):
    server = start(make_server, "amqp://no-such-host.invalid")
    chat = make_chat(server, "alice")
    chat.join("den")
    assert chat.send("den", "hello")["success"]
    eventually(lambda: broker_state(server) == "down", "the outage shows")
    assert server.terminate() == 0


def test_an_unknown_parameter_stops_the_start(make_server):
    server = make_server({"RABBITMQ_URL": "amqp://127.0.0.1?heartbeats=5"}, start=False)
    server.start(wait=False)
    assert server.wait() != 0
    assert "RABBITMQ_URL" in server.log_text() and "heartbeat" in server.log_text()
