"""The balancer of `deploy/kubernetes` in front of instances on loopback, with a name server that knows them as pods."""

import shutil
import socket
import struct
import threading
from pathlib import Path
from typing import Sequence

from kustomize import one, render
from support.deadline import TIMEOUT_SECONDS
from support.server import ROOT, Server
from support.services import Service

NAMESPACE = "chat-instances.chat.svc.cluster.local"
# All pods have one port, so each has an address of its own.
ADDRESSES = ["127.0.77.1", "127.0.77.2"]


class Pod(Server):
    """An instance on an address of its own."""

    @property
    def url(self) -> str:
        return f"http://{self.env['HOST']}:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://{self.env['HOST']}:{self.port}"


class PodNames:
    """Answers for the names of pods (RFC 1035), and that there is no other name."""

    def __init__(self, pods: dict[str, str]):
        self.pods = pods
        self.asked: set[str] = set()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                query, client = self.socket.recvfrom(512)
            except OSError:
                return
            try:
                reply = self._reply(query)
            except (IndexError, UnicodeDecodeError):
                # Another program on this machine sent it.
                continue
            self.socket.sendto(reply, client)

    def _reply(self, query: bytes) -> bytes:
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1 : at + 1 + query[at]].decode())
            at += 1 + query[at]
        name, question = ".".join(labels), query[12 : at + 5]
        self.asked.add(name)
        address = self.pods.get(name)
        flags, answers = (0x8580, 1) if address else (0x8583, 0)
        reply = query[:2] + struct.pack(">HHHHH", flags, 1, answers, 0, 0) + question
        if address:
            reply += struct.pack(">HHHIH", 0xC00C, 1, 1, 1, 4) + socket.inet_aton(address)
        return reply

    def close(self) -> None:
        self.socket.close()


class Balancer(Service):
    """nginx as the manifests configure it; only addresses, ports and paths are this machine's."""

    def __init__(self, directory: Path, pods: Sequence[Pod]):
        super().__init__(directory)
        self.names = PodNames({f"{pod.env['INSTANCE_ID']}.{NAMESPACE}": pod.env["HOST"] for pod in pods})
        objects = render(ROOT / "deploy" / "kubernetes" / "base")
        own = one(objects, "ConfigMap", "chat-balancer")["data"]
        shared = one(objects, "ConfigMap", "chat-balancer-shared")["data"]
        (directory / "chat").mkdir()
        for name, text in shared.items():
            (directory / "chat" / name).write_text(text.replace("listen 8080 ", f"listen 127.0.0.1:{self.port} "))
        peer = "    server chat.chat.svc.cluster.local:5004 max_fails=0;\n"
        pool = own["instances.conf"]
        assert pool.count(peer) == 3 and "kube-dns.kube-system.svc.cluster.local" in pool
        pool = pool.replace(peer * 3, "".join(f"    server {pod.env['HOST']}:{pod.port} max_fails=0;\n" for pod in pods))
        pool = pool.replace("kube-dns.kube-system.svc.cluster.local", f"127.0.0.1:{self.names.port}")
        (directory / "chat" / "instances.conf").write_text(pool.replace(":5004", f":{pods[0].port}"))
        text = own["nginx.conf"].replace("/tmp/", f"{directory}/").replace("/dev/stdout", f"{directory}/access.log")
        text = text.replace("/dev/stderr crit", f"{directory}/error.log info").replace("worker_rlimit_nofile 65536;", "")
        (directory / "nginx.conf").write_text(text.replace("worker_connections 30000;", "worker_connections 1000;"))
        self.url = f"http://127.0.0.1:{self.port}"
        self.ws_url = f"ws://127.0.0.1:{self.port}"

    def command(self) -> Sequence[str]:
        nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
        assert nginx, "nginx is not there"
        return [nginx, "-p", str(self.directory), "-c", str(self.directory / "nginx.conf")]

    def kill(self) -> None:
        # Its workers end with it.
        if self.process is not None:
            self.process.terminate()
            self.process.wait(TIMEOUT_SECONDS)
            self.process = None
        self.names.close()
