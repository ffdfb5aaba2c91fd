"""Broken requests, frames and packets, made from good ones; the same seed makes the same ones again."""

import json
import random
import socket
from typing import Any, Callable

from support.wire import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Wire, frame

EXTREMES = [0, -1, 2**31, -(2**63), 2**63 - 1, 2**63, 2**64, 1e300, -1e17, 0.5, "", "0", None, True, [], {}, "\x00", "\ud800"]
TEXTS = ["a", "é" * 40, "\u0301" * 30, "x" * 20_000, "🙂" * 9, "\u202e", "\r\nHost: x", "%00", "../../etc/passwd", "'\"`;--"]

EVENTS: list[tuple[str, Any]] = [
    ("authenticate", {"userId": "u", "username": "U"}),
    ("join_room", {"roomId": "fuzz", "since": 0, "limit": 50}),
    ("leave_room", {"roomId": "fuzz"}),
    ("send_message", {"roomId": "fuzz", "message": "hello", "clientMessageId": "c", "metadata": {"a": [1]}}),
    ("send_message", {"recipientIds": ["u", "v"], "message": "hello"}),
    ("typing", {"roomId": "fuzz", "isTyping": True}),
    ("mark_read", {"roomId": "fuzz", "seq": 1}),
    ("set_status", {"status": "away"}),
    ("identify", {"username": "N"}),
    ("join_user", {"userId": "u"}),
    ("check_user_status", {"targetUserId": "u"}),
    ("get_all_users", {"cursor": "c", "limit": 10}),
    ("get_detailed_online_users", {}),
    ("subscribe_presence", {"userIds": ["u"], "roomIds": ["fuzz"]}),
    ("unsubscribe_presence", {"all": True}),
    ("ping", {"x": 1}),
]

PATHS = [
    "/health", "/ready", "/metrics", "/online-status?ids=1,u", "/api/online-users?countOnly=true", "/api/presence?ids=u,v",
    "/api/rooms?limit=5", "/api/rooms/fuzz", "/api/chat/fuzz/history?limit=10&before=5", "/api/chat/fuzz/history?around=3",
    "/socket.io/?EIO=4&transport=polling", "/client/app.js", "/api/chat/fuzz/read-marks",
]  # fmt: skip


class Fuzzer:
    """Makes broken input and says it to a server, one connection for each."""

    def __init__(self, port: int, seed: int) -> None:
        self.port = port
        self.random = random.Random(seed)
        self._ways: list[Callable[[Wire], None]] = [self._http, self._raw, self._flat, self._socket_io, self._polling]

    def attack(self) -> None:
        """One connection's worth. A server that refuses or hangs up is right; only its end is wrong."""
        try:
            with Wire(self.port, timeout=2) as wire:
                self.random.choice(self._ways)(wire)
        except (OSError, socket.timeout, EOFError, AssertionError, ValueError, IndexError):
            pass

    # The ways in

    def _http(self, wire: Wire) -> None:
        method = self.random.choice(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"])
        body = self._bytes(json.dumps(self._value(self.random.choice(EVENTS)[1])).encode())
        head = f"{method} {self._path()} HTTP/1.1\r\nHost: localhost\r\nX-User-Id: {self.random.choice(['u', 'v'])}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        wire.send(self._bytes(head.encode("utf-8", "replace"), chance=0.5) + body)
        wire.socket.recv(65536)

    def _raw(self, wire: Wire) -> None:
        self._talk(wire.open("/?userId=u"), lambda name, data: {"event": name, "data": data, "id": self._id()})

    def _flat(self, wire: Wire) -> None:
        def flat(name: str, data: Any) -> Any:
            return {"type": name, "id": self._id(), **data} if isinstance(data, dict) else {"type": name, "data": data}

        self._talk(wire.open("/ws?userId=u"), flat)

    def _talk(self, wire: Wire, dress: Callable[[str, Any], Any]) -> None:
        for _ in range(self.random.randrange(1, 12)):
            name, data = self.random.choice(EVENTS)
            text = json.dumps(dress(name, self._value(data))).encode()
            wire.send(self._frame(self._bytes(text, chance=0.3)))
        wire.socket.recv(65536)

    def _socket_io(self, wire: Wire) -> None:
        wire.open("/socket.io/?EIO=4&transport=websocket")
        wire.send(frame(TEXT, b"40"))
        for _ in range(self.random.randrange(1, 12)):
            wire.send(self._frame(self._bytes(self._packet(), chance=0.3)))
        wire.socket.recv(65536)

    def _polling(self, wire: Wire) -> None:
        answer = wire.ask("GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: localhost\r\n\r\n")
        sid = json.loads(answer.body[1:])["sid"]
        body = b"\x1e".join([b"40", *(self._bytes(self._packet(), chance=0.3) for _ in range(self.random.randrange(6)))])
        path = self._text(f"/socket.io/?EIO=4&transport=polling&sid={sid}", chance=0.1)
        wire.send(f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        wire.send(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        wire.socket.recv(65536)

    # Breaking

    def _packet(self) -> bytes:
        name, data = self.random.choice(EVENTS)
        kind = self.random.choice(["42", "42", "42", "45" + str(self.random.choice([0, 1, 9])) + "-", "43", "41", "40", "3", "2"])
        return (kind + str(self._id() or "") + json.dumps([name, self._value(data)])).encode()

    def _id(self) -> Any:
        return self.random.choice([None, 1, 7, self.random.choice(EXTREMES)])

    def _path(self) -> str:
        path = self.random.choice(PATHS)
        if self.random.random() < 0.5 and "=" in path:
            head, _, _ = path.rpartition("=")
            path = f"{head}={self.random.choice(EXTREMES)}".replace(" ", "%20").replace("\x00", "%00")
        return self._text(path, chance=0.2).encode("ascii", "backslashreplace").decode()

    def _value(self, value: Any) -> Any:
        """The value with one of its parts replaced, now and then."""
        if self.random.random() < 0.4:
            return value
        if isinstance(value, dict) and value and self.random.random() < 0.9:
            key = self.random.choice(list(value))
            return {**value, key: self._value(value[key])}
        if self.random.random() < 0.1:
            deep: Any = 1
            for _ in range(self.random.choice([31, 32, 33, 400])):
                deep = [deep]
            return deep
        return self.random.choice(EXTREMES + TEXTS)

    def _text(self, text: str, chance: float) -> str:
        if self.random.random() > chance:
            return text
        at = self.random.randrange(len(text))
        return text[:at] + self.random.choice(TEXTS) + text[at + self.random.randrange(3) :]

    def _bytes(self, data: bytes, chance: float = 0.2) -> bytes:
        if not data or self.random.random() > chance:
            return data
        broken = bytearray(data)
        for _ in range(self.random.randrange(1, 4)):
            at = self.random.randrange(len(broken))
            way = self.random.randrange(4)
            if way == 0:
                broken[at] = self.random.randrange(256)
            elif way == 1:
                del broken[at : at + self.random.randrange(1, 9)]
            elif way == 2:
                broken[at:at] = self.random.randbytes(self.random.randrange(1, 9))
            else:
                broken[at:at] = broken[self.random.randrange(len(broken)) :][:64]
            if not broken:
                break
        return bytes(broken)

    def _frame(self, payload: bytes) -> bytes:
        if self.random.random() < 0.7:
            return frame(TEXT, payload)
        opcode = self.random.choice([TEXT, BINARY, CLOSE, PING, PONG, CONTINUATION, 3, 11])
        mask = self.random.choice([None, b"\x00\x00\x00\x00", b"abcd"])
        form = self.random.choice([None, None, 64])
        return frame(opcode, payload, self.random.random() < 0.8, self.random.choice([0, 0, 4, 1]), mask, form)
