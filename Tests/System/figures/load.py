"""What the measurements share: readings of the server's process, and clients that cost little."""

import argparse
import json
import os
import re
import selectors
import socket
import struct
import threading
import time
from pathlib import Path
from typing import Any, Iterator, Sequence

from support.chat import Chat
from support.server import Server

# A client that sends nothing for long is closed.
SIGN_OF_LIFE_SECONDS = 10
PONG = b"\x8a\x80\0\0\0\0"
TICKS = os.sysconf("SC_CLK_TCK")


def add_directory(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--directory", default="/var/tmp", help="where the server keeps its data meanwhile")


def start(directory: Path, **environment: str) -> Server:
    limits = {"MAX_CONNECTIONS_PER_USER": "0", "RATE_LIMIT_MESSAGES": "0", "RATE_LIMIT_CONNECTIONS": "0"}
    server = Server(directory / "server", {"LOG_LEVEL": "warning", "EVENT_LOOPS": "1", **limits, **environment})
    return server.start()


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def counted(server: Server, name: str) -> int:
    found = re.search(rf"^{name} (\d+)$", server.get("/metrics").text, re.MULTILINE)
    return int(found.group(1)) if found else 0


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def milliseconds(values: Sequence[float]) -> dict[str, float]:
    return {
        name: round(percentile(values, share) * 1000, 2) for name, share in (("p50", 0.5), ("p99", 0.99), ("max", 1.0))
    }


class Listeners:
    """Members of a room that read what comes, and nothing else. One thread reads for all of them."""

    def __init__(self, server: Server, room: str, count: int):
        self._selector = selectors.DefaultSelector()
        self._ended = threading.Event()
        # Those that the server closed, for instance because this machine was too slow for them.
        self.lost = 0
        for number in range(count):
            near = socket.create_connection(("127.0.0.1", server.port))
            self._shake_hands(near, server.port)
            self._send(near, "authenticate", {"userId": f"listener-{number}", "username": "Listener"})
            self._send(near, "join_room", {"roomId": room})
            near.setblocking(False)
            self._selector.register(near, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    @staticmethod
    def _shake_hands(near: socket.socket, port: int) -> None:
        request = (
            f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        near.sendall(request.encode())
        head = b""
        while b"\r\n\r\n" not in head:
            part = near.recv(1)
            assert part, f"the server ended the connection: {head!r}"
            head += part
        assert head.startswith(b"HTTP/1.1 101"), head

    @staticmethod
    def _send(near: socket.socket, event: str, data: dict[str, Any]) -> None:
        text = json.dumps({"event": event, "data": data}).encode()
        assert len(text) < 65_536
        length = bytes([0x80 | len(text)]) if len(text) < 126 else bytes([0xFE]) + struct.pack(">H", len(text))
        # A mask of zeros leaves the text as it is.
        near.sendall(b"\x81" + length + bytes(4) + text)

    def _read(self) -> None:
        shown = time.monotonic()
        while not self._ended.is_set():
            if time.monotonic() - shown > SIGN_OF_LIFE_SECONDS:
                shown = time.monotonic()
                for key in list(self._selector.get_map().values()):
                    assert isinstance(key.fileobj, socket.socket)
                    key.fileobj.send(PONG)
            for key, _ in self._selector.select(timeout=0.2):
                assert isinstance(key.fileobj, socket.socket)
                if not key.fileobj.recv(262_144):
                    self._selector.unregister(key.fileobj)
                    self.lost += 1

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            assert isinstance(key.fileobj, socket.socket)
            key.fileobj.close()


def member(server: Server, user: str, *rooms: str) -> Chat:
    chat = Chat(server.ws_url)
    chat.authenticate(user)
    for room in rooms:
        chat.join(room)
    chat.inbox.clear()
    return chat


def paced(count: int, rate: float) -> Iterator[int]:
    """Numbers, so many a second."""
    begin = time.monotonic()
    for number in range(count):
        delay = begin + number / rate - time.monotonic()
        if delay > 0:
            time.sleep(delay)
        yield number
