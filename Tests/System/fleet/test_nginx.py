"""The balancer as it is shipped, in front of two instances: the whole cluster as `scripts/cluster` starts it."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Iterator

import pytest
import requests
import socketio

from support.chat import Chat
from support.deadline import TIMEOUT_SECONDS, eventually
from support.server import ROOT, binary, clean_environment, cluster_ports

ENVIRONMENT = {
    "AUTH_MODE": "trusted",
    "LOG_LEVEL": "debug",
    "RATE_LIMIT_CONNECTIONS": "0",
    "RATE_LIMIT_MESSAGES": "0",
    "MAX_CONNECTIONS_PER_USER": "0",
    "SHUTDOWN_GRACE_MS": "3000",
}


class Cluster:
    """What `scripts/cluster start` left running."""

    def __init__(self, directory: Path):
        self.directory = directory
        self.port = cluster_ports()
        self.url = f"http://127.0.0.1:{self.port}"
        self.ws_url = f"ws://127.0.0.1:{self.port}"
        self.http = requests.Session()
        self.http.trust_env = False

    def run(self, command: str) -> None:
        env = {
            **ENVIRONMENT,
            "CLUSTER_DIR": str(self.directory),
            "CLUSTER_PORT": str(self.port),
            "CHAT_SERVICE_BINARY": str(binary()),
            "SECANTUSD": str(Path(os.sys.prefix) / "bin" / "secantusd-py"),
        }
        with (self.directory / "cluster.log").open("ab") as log:
            done = subprocess.run(
                [str(ROOT / "scripts" / "cluster"), command],
                env=clean_environment(env),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                timeout=120,
            )
        assert done.returncode == 0, (self.directory / "cluster.log").read_text()

    def pid(self, name: str) -> int:
        entries = (line.split() for line in (self.directory / "pids").read_text().splitlines())
        return next(int(pid) for each, pid in entries if each == name)

    def access_log(self) -> str:
        return (self.directory / "logs" / "access.log").read_text()

    def handshake(self) -> str:
        """Opens a polling session; its id."""
        answer = requests.get(f"{self.url}/socket.io/?EIO=4&transport=polling", timeout=10)
        assert answer.status_code == 200, answer.text
        return json.loads(answer.text[1:])["sid"]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        cluster.run("start")
        yield cluster
    finally:
        cluster.run("stop")


@pytest.fixture
def connect(cluster):
    """Makes stock Socket.IO clients that are signed in, in a room, and note the events they receive."""
    clients: list[socketio.Client] = []

    def connect(user: str, room: str, transports: list[str] | None = None) -> socketio.Client:
        client = socketio.Client(reconnection=False)
        clients.append(client)
        client.heard = []
        client.on("new_message", lambda message: client.heard.append(message["message"]))
        client.connect(cluster.url, transports=transports, wait_timeout=10)
        client.call("authenticate", {"userId": user, "username": user}, timeout=10)
        client.call("join_room", {"roomId": room}, timeout=10)
        return client

    yield connect
    for client in clients:
        client.disconnect()


def _instance(sid: str) -> str:
    return "-".join(sid.split("-")[:2])


def test_polling_stays_on_its_instance(cluster, connect):
    clients = [connect(f"poller-{n}", "polled", ["polling"]) for n in range(6)]
    assert {_instance(client.eio.sid) for client in clients} == {"chat-1", "chat-2"}, "both take part"
    said = []
    for round in range(5):
        for number, client in enumerate(clients):
            said.append(f"{number} in round {round}")
            assert client.call("send_message", {"roomId": "polled", "message": said[-1]}, timeout=10)["success"]
    for client in clients:
        eventually(lambda client=client: len(client.heard) >= len(said), "everything arrives")
        assert client.heard[-len(said) :] == said, "once, in order"


def test_every_request_of_a_session_finds_it(cluster):
    """On connections of their own, as from behind a proxy that shares them."""
    sids = [cluster.handshake() for _ in range(8)]
    assert {_instance(sid) for sid in sids} == {"chat-1", "chat-2"}
    for sid in sids:
        path = f"{cluster.url}/socket.io/?EIO=4&transport=polling&sid={sid}"
        assert requests.post(path, data="40", timeout=10).status_code == 200
        assert requests.get(path, timeout=10).text.startswith("40")
        for _ in range(3):
            assert requests.post(path, data='42["ping",1]', timeout=10).status_code == 200


def test_a_session_of_no_instance_is_unknown(cluster):
    for sid in ("chat-9-1-0123456789abcdef", "nonsense", "chat-1-1-0123456789abcdef01234567"):
        answer = requests.get(f"{cluster.url}/socket.io/?EIO=4&transport=polling&sid={sid}", timeout=10)
        assert (answer.status_code, answer.json()["code"]) == (400, 1)


def test_polling_is_upgraded(cluster, connect):
    client = connect("upgrader", "upgraded")
    eventually(lambda: client.transport() == "websocket", "upgraded")
    with Chat(cluster.ws_url) as raw:
        raw.authenticate("raw")
        raw.join("upgraded")
        raw.send("upgraded", "from a raw WebSocket")
        eventually(lambda: client.heard == ["from a raw WebSocket"], "heard")
        client.call("send_message", {"roomId": "upgraded", "message": "and back"}, timeout=10)
        raw.expect("new_message", lambda message: message["message"] == "and back")


def test_history_by_both_names(cluster):
    with Chat(cluster.ws_url) as chat:
        chat.authenticate("writer")
        chat.join("told")
        chat.send("told", "once upon a time")
    for path in ("/chat/told/history", "/api/chat/told/history"):
        answer = cluster.http.get(cluster.url + path, timeout=10).json()
        assert answer["success"] is True
        assert [message["message"] for message in answer["messages"]] == ["once upon a time"]


def test_no_token_is_written_down(cluster):
    with Chat(cluster.ws_url, "/ws?userId=visitor&token="):
        pass
    secret = "s3cret.t0ken.w0rd"
    for path in ("/api/rooms", "/socket.io/", "/ws", "/chat/told/history"):
        cluster.http.get(
            f"{cluster.url}{path}?token={secret}",
            headers={"Authorization": f"Bearer {secret}", "Referer": f"http://x/?token={secret}"},
            timeout=TIMEOUT_SECONDS,
        )
    eventually(lambda: '"path":"/api/rooms"' in cluster.access_log(), "the requests are noted")
    for line in cluster.access_log().splitlines():
        assert json.loads(line)["status"]
    for log in (cluster.directory / "logs").iterdir():
        assert secret not in log.read_text(errors="replace"), log.name


def test_paths_that_are_not_public(cluster):
    for path in ("/metrics", "/ready", "/internal/messages"):
        assert cluster.http.get(cluster.url + path, timeout=10).status_code == 404
    assert cluster.http.get(cluster.url + "/health", timeout=10).json()["status"] == "ok"


def test_a_draining_instance_gets_no_new_clients(cluster):
    """And no client is refused meanwhile, or after it is gone. The last test here: it leaves one instance."""
    held = [Chat(cluster.ws_url) for _ in range(8)]
    for number, chat in enumerate(held):
        chat.authenticate(f"held-{number}")
        chat.join("drained")
    os.kill(cluster.pid("chat-1"), signal.SIGTERM)
    until = time.monotonic() + 5
    sids = []
    # Before the signal has been taken, one or two may still get in.
    time.sleep(0.2)
    while time.monotonic() < until:
        sids.append(cluster.handshake())
        with Chat(cluster.ws_url) as chat:
            chat.authenticate("newcomer")
            chat.join("drained")
            assert chat.send("drained", f"message {len(sids)}")["success"]
    assert {_instance(sid) for sid in sids} == {"chat-2"}
    assert cluster.http.get(cluster.url + "/api/chat/drained/history", timeout=10).status_code == 200
    for chat in held:
        chat.abort()
