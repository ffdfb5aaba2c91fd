"""`scripts/cluster`: everything a fleet needs, started and stopped with one command."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import requests

from support.chat import Chat
from support.deadline import TIMEOUT_SECONDS
from support.server import ROOT, binary, clean_environment, cluster_ports


class Cluster:
    def __init__(self, directory: Path):
        self.directory = directory
        self.port = cluster_ports()
        self.env = clean_environment(
            {
                "CLUSTER_DIR": str(directory),
                "CLUSTER_PORT": str(self.port),
                "CHAT_SERVICE_BINARY": str(binary()),
                "SECANTUSD": os.environ.get("SECANTUSD") or str(Path(sys.prefix) / "bin" / "secantusd-py"),
            }
        )

    def command(self, *arguments: str) -> list[str]:
        return [str(ROOT / "scripts" / "cluster"), *arguments]

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            self.command(*arguments), env=self.env, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def variables(self) -> dict[str, str]:
        return dict(re.findall(r"^(\w+)=(.*)$", self.run("--print-env"), re.MULTILINE))

    def listening(self) -> list[int]:
        return [port for port in range(self.port, self.port + 13) if is_listening(port)]


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_started_used_and_stopped(tmp_path):
    cluster = Cluster(tmp_path / "cluster")
    try:
        cluster.run("start")
        urls = cluster.variables()
        for name in ("CLUSTER_INSTANCE_1_URL", "CLUSTER_INSTANCE_2_URL"):
            dependencies = requests.get(urls[name] + "/ready", timeout=TIMEOUT_SECONDS).json()["dependencies"]
            assert {each["state"] for each in dependencies.values()} == {"up"}
            assert dependencies.keys() == {"store", "files", "redis", "rabbitmq"}
        # One client on each instance, and one that the balancer puts somewhere.
        chats = [Chat(url.replace("http", "ws")) for name, url in urls.items() if name.startswith("CLUSTER_") and "URL" in name]
        for number, chat in enumerate(chats):
            chat.authenticate(f"user-{number}")
            chat.join("den")
        chats[0].send("den", "hello")
        for chat in chats:
            assert chat.expect("new_message")["message"] == "hello"
            chat.close()
        assert requests.get(urls["CLUSTER_URL"] + "/metrics", timeout=TIMEOUT_SECONDS).status_code == 404
        # A second start says why it will not.
        again = subprocess.run(cluster.command("start"), env=cluster.env, capture_output=True, text=True, timeout=TIMEOUT_SECONDS)
        assert again.returncode == 1 and "stop" in again.stderr
    finally:
        cluster.run("stop")
    assert cluster.listening() == []


def test_an_interrupt_ends_all_of_it(tmp_path):
    cluster = Cluster(tmp_path / "cluster")
    process = subprocess.Popen(
        cluster.command(), env=cluster.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("CLUSTER_URL="), "printed once all of it serves"
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    finally:
        process.kill()
        cluster.run("stop")
    assert cluster.listening() == []
