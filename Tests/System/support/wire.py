"""Bytes on a socket, for what no well-behaved client library would send."""

import base64
import json
import os
import socket
import struct
import time
from dataclasses import dataclass, field
from typing import Any, Iterator

from support.deadline import TIMEOUT_SECONDS

TEXT, BINARY, CLOSE, PING, PONG, CONTINUATION = 1, 2, 8, 9, 10, 0


@dataclass
class Response:
    """An HTTP response as it came."""

    status: int
    headers: dict[str, str]
    body: bytes = b""

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Frame:
    """A WebSocket frame as it came."""

    opcode: int
    payload: bytes
    fin: bool = True
    rsv: int = 0

    @property
    def close_code(self) -> int | None:
        return struct.unpack("!H", self.payload[:2])[0] if len(self.payload) >= 2 else None


def frame(
    opcode: int,
    payload: bytes = b"",
    fin: bool = True,
    rsv: int = 0,
    mask: bytes | None = b"\x11\x22\x33\x44",
    length_form: int | None = None,
) -> bytes:
    """A client's frame; `length_form` 0, 16 or 64 forces a length of that many extra bits, `mask=None` leaves it unmasked."""
    count = len(payload)
    form = length_form if length_form is not None else 0 if count < 126 else 16 if count < 65536 else 64
    masked = 0x80 if mask is not None else 0
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    if form == 0:
        head += bytes([masked | count])
    elif form == 16:
        head += bytes([masked | 126]) + struct.pack("!H", count)
    else:
        head += bytes([masked | 127]) + struct.pack("!Q", count)
    if mask is None:
        return head + payload
    repeated = (mask * (count // 4 + 1))[:count]
    hidden = int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")
    return head + mask + hidden.to_bytes(count, "big")


def close_frame(code: int | None, reason: bytes = b"") -> bytes:
    return frame(CLOSE, b"" if code is None else struct.pack("!H", code) + reason)


def event(name: str, data: Any = None, id: int | None = None) -> bytes:
    """An event in a masked text frame."""
    value: dict[str, Any] = {"event": name}
    if data is not None:
        value["data"] = data
    if id is not None:
        value["id"] = id
    return frame(TEXT, json.dumps(value).encode())


@dataclass
class Wire:
    """One TCP connection that sends and receives bytes as they are."""

    port: int
    host: str = "127.0.0.1"
    timeout: float = TIMEOUT_SECONDS
    buffer: bytes = field(default=b"", init=False)

    def __post_init__(self) -> None:
        self.socket = socket.create_connection((self.host, self.port), self.timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes | str) -> None:
        self.socket.sendall(data.encode("latin-1") if isinstance(data, str) else data)

    # HTTP

    def ask(self, data: bytes | str, is_head: bool = False) -> Response:
        self.send(data)
        return self.response(is_head)

    def response(self, is_head: bool = False, timeout: float | None = None) -> Response:
        head, self.buffer = self._until(b"\r\n\r\n", timeout)
        lines = head.decode("latin-1").split("\r\n")
        fields = (line.split(": ", 1) for line in lines[1:] if line)
        headers = {name.lower(): value for name, value in fields}
        status = int(lines[0].split(" ")[1])
        length = 0 if is_head or status in (101, 204, 304) else int(headers.get("content-length", "0"))
        return Response(status, headers, self._exactly(length, timeout))

    def upgrade(self, path: str = "/", **headers: str) -> Response:
        """Asks for a WebSocket; `headers` are named with underscores."""
        return self.ask(upgrade_request(path, **headers))

    # WebSocket

    def open(self, path: str = "/", **headers: str) -> "Wire":
        response = self.upgrade(path, **headers)
        assert response.status == 101, response
        return self

    def frame(self, timeout: float | None = None) -> Frame:
        first, second = self._exactly(2, timeout)
        count = second & 0x7F
        assert second & 0x80 == 0, "a server's frame is not masked"
        if count == 126:
            count = struct.unpack("!H", self._exactly(2, timeout))[0]
        elif count == 127:
            count = struct.unpack("!Q", self._exactly(8, timeout))[0]
        return Frame(first & 0x0F, self._exactly(count, timeout), bool(first & 0x80), first >> 4 & 7)

    def frames(self, timeout: float | None = None) -> Iterator[Frame]:
        while True:
            yield self.frame(timeout)

    def event(self, name: str, timeout: float | None = None) -> Any:
        """The data of the next such event; others are passed over."""
        for got in self.frames(timeout):
            value = json.loads(got.payload) if got.opcode == TEXT else {}
            if value.get("event") == name:
                return value.get("data")
        raise AssertionError("unreachable")

    def close_code(self, timeout: float | None = None) -> int | None:
        """Reads on to the close frame, and then to the end of the connection."""
        got = next(got for got in self.frames(timeout) if got.opcode == CLOSE)
        self.send(frame(CLOSE, got.payload))
        self.expect_end(timeout)
        return got.close_code

    # The end

    def expect_end(self, timeout: float | None = None) -> bytes:
        """Whatever still comes until the server ends the connection."""
        rest = self.buffer
        self.buffer = b""
        while True:
            try:
                chunk = self._receive(timeout)
            except ConnectionResetError:
                return rest
            if not chunk:
                return rest
            rest += chunk

    # Within

    def _receive(self, timeout: float | None) -> bytes:
        self.socket.settimeout(timeout or self.timeout)
        return self.socket.recv(65536)

    def _more(self, timeout: float | None) -> None:
        chunk = self._receive(timeout)
        if not chunk:
            raise EOFError(f"the server ended the connection; before: {self.buffer[:200]!r}")
        self.buffer += chunk

    def _until(self, mark: bytes, timeout: float | None) -> tuple[bytes, bytes]:
        while mark not in self.buffer:
            self._more(timeout)
        head, _, rest = self.buffer.partition(mark)
        return head, rest

    def _exactly(self, count: int, timeout: float | None) -> bytes:
        parts = bytearray(self.buffer)
        self.buffer = b""
        deadline = time.monotonic() + (timeout or self.timeout)
        while len(parts) < count:
            chunk = self._receive(max(0.01, deadline - time.monotonic()))
            if not chunk:
                raise EOFError(f"the server ended the connection; before: {bytes(parts[:200])!r}")
            parts += chunk
        self.buffer = bytes(parts[count:])
        return bytes(parts[:count])


def upgrade_request(path: str = "/", **headers: str) -> bytes:
    """A request for a WebSocket; a header given as an empty string is left out."""
    fields = {
        "Host": "127.0.0.1",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
    }
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items() if value), "", ""]
    return "\r\n".join(lines).encode()


def narrow(port: int, timeout: float = 10.0) -> Wire:
    """A connection whose kernel buffer takes little."""
    wire = Wire.__new__(Wire)
    wire.port, wire.host, wire.timeout, wire.buffer = port, "127.0.0.1", timeout, b""
    wire.socket = socket.socket()
    wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    wire.socket.connect(("127.0.0.1", port))
    return wire
