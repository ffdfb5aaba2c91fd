"""Engine.IO clients that send what a test says and nothing else: no heartbeat is answered, nothing is retried."""

import base64
import json
import time
from typing import Any

from support.deadline import TIMEOUT_SECONDS
from support.wire import BINARY, CLOSE, PING, TEXT, Response, Wire, frame

SEPARATOR = b"\x1e"
Packet = str | bytes


class Closed(Exception):
    """The server closed the WebSocket while a packet was awaited."""


def encode_payload(packets: tuple[Packet, ...]) -> bytes:
    """Packets as a POST's body carries them."""
    parts = (
        packet.encode() if isinstance(packet, str) else b"b" + base64.b64encode(packet) for packet in packets
    )
    return SEPARATOR.join(parts)


def decode_payload(body: bytes) -> list[Packet]:
    return [
        base64.b64decode(part[1:], validate=True) if part.startswith(b"b") else part.decode()
        for part in body.split(SEPARATOR)
    ]


class Polling:
    """A session by long polling. GETs and POSTs have a connection each, as browsers have."""

    def __init__(self, port: int, path: str, handshake: bool = True, **headers: str):
        self.port = port
        self.path = path
        self.headers = headers
        self._getting: Wire | None = None
        self._posting: Wire | None = None
        self._kept: list[Packet] = []
        self.sid = ""
        self.open: dict[str, Any] = {}
        if handshake:
            self.shake_hands()

    def __enter__(self) -> "Polling":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        for wire in (self._getting, self._posting):
            if wire:
                wire.socket.close()
        self._getting = self._posting = None

    @property
    def getting(self) -> Wire:
        self._getting = self._getting or Wire(self.port)
        return self._getting

    @property
    def posting(self) -> Wire:
        self._posting = self._posting or Wire(self.port)
        return self._posting

    @property
    def query(self) -> str:
        return f"EIO=4&transport=polling&sid={self.sid}"

    # Requests

    def shake_hands(self) -> Response:
        response = self.get_once("EIO=4&transport=polling")
        assert response.status == 200, response
        assert response.headers["content-type"] == "text/plain; charset=UTF-8"
        packet = response.body.decode()
        assert packet.startswith("0"), packet
        self.open = json.loads(packet[1:])
        self.sid = self.open["sid"]
        return response

    def get_once(self, query: str) -> Response:
        return self.getting.ask(self._request("GET", query))

    def start_poll(self, wire: Wire | None = None) -> None:
        """Sends a GET and does not wait for its answer."""
        (wire or self.getting).send(self._request("GET", self.query))

    def finish_poll(self, timeout: float | None = None) -> Response:
        return self.getting.response(timeout=timeout)

    def poll(self, timeout: float | None = None) -> list[Packet]:
        self.start_poll()
        response = self.finish_poll(timeout)
        assert response.status == 200, response
        return decode_payload(response.body)

    def post(self, *packets: Packet) -> Response:
        return self.post_raw(encode_payload(packets))

    def post_raw(self, body: bytes) -> Response:
        return self.posting.ask(self._request("POST", self.query, body))

    def send(self, *packets: Packet) -> None:
        response = self.post(*packets)
        assert (response.status, response.body) == (200, b"ok"), response

    def _request(self, method: str, query: str, body: bytes | None = None) -> bytes:
        lines = [f"{method} {self.path}?{query} HTTP/1.1", "Host: 127.0.0.1"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in self.headers.items()]
        if body is not None:
            lines += ["Content-Type: text/plain;charset=UTF-8", f"Content-Length: {len(body)}"]
        return "\r\n".join([*lines, "", ""]).encode() + (body or b"")

    # Conversation

    def expect(self, packet: Packet) -> None:
        """Polls until the packet comes; heartbeats are answered, anything else is a failure."""
        for got in self.packets():
            if got == packet:
                return
            raise AssertionError(f"got {got!r}, expected {packet!r}")

    def packets(self, timeout: float = TIMEOUT_SECONDS):
        """Packet by packet, heartbeats answered. What a poll brought beyond the one taken is kept."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            while self._kept:
                packet = self._kept.pop(0)
                if packet == "2":
                    self.send("3")
                else:
                    yield packet
            self._kept += self.poll(deadline - time.monotonic())
        raise AssertionError("no more packets in time")

    def assert_gone(self) -> None:
        assert self.is_gone(), "the session lives on"

    def is_gone(self) -> bool:
        """The session is over: its id is no longer known. Asked with a noop, which changes nothing of one that lives."""
        with Wire(self.port) as wire:
            response = wire.ask(self._request("POST", self.query, b"6"))
        return response.status == 400 and response.json()["code"] == 1


class Socket:
    """A WebSocket that speaks Engine.IO packets."""

    def __init__(self, port: int, path: str, sid: str | None = None, handshake: bool = True, **headers: str):
        query = "EIO=4&transport=websocket" + (f"&sid={sid}" if sid else "")
        self.wire = Wire(port).open(f"{path}?{query}", **headers)
        self.open: dict[str, Any] = {}
        if handshake and sid is None:
            packet = self.receive()
            assert isinstance(packet, str) and packet.startswith("0"), packet
            self.open = json.loads(packet[1:])

    def __enter__(self) -> "Socket":
        return self

    def __exit__(self, *_: object) -> None:
        self.wire.socket.close()

    @property
    def sid(self) -> str:
        return self.open["sid"]

    def send(self, *packets: Packet) -> None:
        for packet in packets:
            if isinstance(packet, str):
                self.wire.send(frame(TEXT, packet.encode()))
            else:
                self.wire.send(frame(BINARY, packet))

    def receive(self, timeout: float | None = None) -> Packet:
        """The next packet, heartbeats included."""
        for got in self.wire.frames(timeout):
            if got.opcode == CLOSE:
                raise Closed(f"closed with {got.close_code}")
            if got.opcode != PING:
                return got.payload.decode() if got.opcode == TEXT else got.payload
        raise AssertionError("unreachable")

    def expect(self, *packets: Packet) -> None:
        """These packets and no others, in this order; heartbeats are answered."""
        for expected in packets:
            while (got := self.receive()) == "2" and expected != "2":
                self.send("3")
            assert got == expected, f"got {got!r}, expected {expected!r}"

    def expect_close(self, timeout: float | None = None) -> int | None:
        return self.wire.close_code(timeout)

    def probe(self) -> None:
        self.send("2probe")
        assert self.receive() == "3probe"
