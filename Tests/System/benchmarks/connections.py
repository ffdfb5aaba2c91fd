"""What a connection costs: its memory while it is idle, and the processor time of opening, authenticating and joining."""

import json
import socket
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from support.certificate import make_certificate

from benchmarks.fanout import Plan, Runs
from benchmarks.programs import Run, Target, chat_load, floor, on_cores, service
from figures.load import cpu_seconds, resident_bytes

PEOPLE_IN_A_ROOM = 10
COUNT, TLS_COUNT = 10_000, 2_000
# After that long with nothing to do, the service has given back what it needed only to open them.
REST_SECONDS = 5
# Connections that are opened at the same time over TLS.
OPENING = 32


def connections(plan: Plan) -> Runs:
    runs: Runs = {"floor": [], "raw": [], "socketIO": [], "tls": []}
    idle = {"connections": COUNT, "rooms": COUNT // PEOPLE_IN_A_ROOM, "idle": True, "seconds": REST_SECONDS}
    certificate, key = make_certificate(plan.directory / "certificate")
    for _ in range(plan.few_rounds):
        with floor(plan.cores.server) as target:
            runs["floor"] += chat_load(plan.cores.load, target, **idle)
        with service((plan.cores.server,), plan.directory) as (target, _server):
            runs["raw"] += chat_load(plan.cores.load, target, **idle)
        with service((plan.cores.server,), plan.directory) as (target, _server):
            runs["socketIO"] += chat_load(plan.cores.load, target, **idle, socket_io=True)
        tls = {"TLS_CERT_FILE": str(certificate), "TLS_KEY_FILE": str(key)}
        with service((plan.cores.server,), plan.directory, **tls) as (target, _server), on_cores(plan.cores.load):
            runs["tls"].append(idle_over_tls(target, certificate))
    return runs


def idle_over_tls(target: Target, certificate: Path) -> Run:
    """The same with TLS, from this program: the load generator has none."""
    context = ssl.create_default_context(cafile=str(certificate))
    open_over_tls(target, context, -1).close()
    memory, cpu, begin = resident_bytes(target.pid), cpu_seconds(target.pid), time.monotonic()
    with ThreadPoolExecutor(OPENING) as pool:
        links = list(pool.map(lambda number: open_over_tls(target, context, number), range(TLS_COUNT)))
    opening, used = time.monotonic() - begin, cpu_seconds(target.pid) - cpu
    time.sleep(REST_SECONDS)
    run = {
        "connections": TLS_COUNT, "openingSeconds": opening, "connectMicroseconds": used / TLS_COUNT * 1e6,
        "bytesPerConnection": (resident_bytes(target.pid) - memory) / TLS_COUNT,
    }  # fmt: skip
    for link in links:
        link.close()
    return run


def open_over_tls(target: Target, context: ssl.SSLContext, number: int) -> ssl.SSLSocket:
    link = context.wrap_socket(socket.create_connection(("127.0.0.1", target.port)), server_hostname="127.0.0.1")
    link.sendall(
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    read_until(link, b"\r\n\r\n")
    for event, data, answer in (
        ("authenticate", {"userId": f"u{number}", "username": f"n{number}"}, b'"authenticated"'),
        ("join_room", {"roomId": f"r{number // PEOPLE_IN_A_ROOM}"}, b'"room_state"'),
    ):
        text = json.dumps({"event": event, "data": data}).encode()
        assert len(text) < 126
        # A mask of zeros leaves the text as it is.
        link.sendall(bytes([0x81, 0x80 | len(text)]) + bytes(4) + text)
        read_until(link, answer)
    return link


def read_until(link: ssl.SSLSocket, text: bytes) -> None:
    got = b""
    while text not in got:
        part = link.recv(65536)
        assert part, "the server ended the connection"
        got += part
