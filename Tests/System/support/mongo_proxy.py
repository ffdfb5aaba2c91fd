"""A proxy before MongoDB that reads the protocol: it keeps the commands of clients, and spoils answers as a test chooses."""

import collections
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Callable, Mapping

import bson

from support.between import Between, shut

_HEADER = struct.Struct("<iiii")
_OP_REPLY, _OP_MSG = 1, 2013
_OF_THE_DRIVER = {"hello", "isMaster", "ismaster", "ping", "endSessions"}


@dataclass
class Command:
    """One command of a client."""

    name: str
    document: dict[str, Any]

    @property
    def collection(self) -> str:
        return self.document[self.name]


@dataclass
class Fault:
    """What happens to the next commands that match, as many as `times`."""

    matches: Callable[[Command], bool]
    # The answer instead of the server's, which does not get the command.
    refusal: Mapping[str, Any] | None = None
    # Fields that are put into the server's answer.
    amendment: Mapping[str, Any] | None = None
    # The part of the server's answer that the client gets before the connection ends.
    part: float | None = None
    # Seconds until the client gets the server's answer.
    delay: float = 0
    times: int = 1
    hits: int = 0


def refused(code: int, name: str) -> dict[str, Any]:
    """The answer to a command that a server refuses as a whole."""
    return {"ok": 0.0, "code": code, "codeName": name, "errmsg": f"refused by a test: {name}"}


class MongoProxy(Between):
    """The server behind it looks like the member of a replica set whose only address is the proxy's."""

    def __init__(self, port: int):
        self.commands: list[Command] = []
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        super().__init__(port)

    def uri(self, **options: Any) -> str:
        """As a member of its replica set, so that clients look for the primary."""
        options = {"replicaSet": "secantus", **options}
        return f"mongodb://127.0.0.1:{self.port}/chat?" + "&".join(f"{name}={value}" for name, value in options.items())

    def arm(self, fault: Fault) -> Fault:
        with self._lock:
            self._faults.append(fault)
        return fault

    def counted(self, since: int) -> collections.Counter[str]:
        """The commands after the first `since`, each with its collection, without those that a driver sends for itself."""
        commands = [each for each in self.commands[since:] if each.name not in _OF_THE_DRIVER]
        return collections.Counter(f"{each.name} {each.collection}" for each in commands)

    def connect(self, client: socket.socket, server: socket.socket) -> None:
        connection = _Connection(self, client, server)
        for task in (connection.pass_commands, connection.pass_answers):
            threading.Thread(target=connection.run, args=(task,), daemon=True).start()

    def take(self, command: Command) -> Fault | None:
        """Keeps a command; the fault that it is to meet."""
        with self._lock:
            self.commands.append(command)
            for fault in self._faults:
                if fault.hits < fault.times and fault.matches(command):
                    fault.hits += 1
                    return fault
        return None

    def readdress(self, document: dict[str, Any]) -> bool:
        """Puts the proxy's address in the place of the server's; whether it was there.

        The test server does not report the end of a step-down to drivers that wait for a change, which those do that know a
        version of the topology. The others ask again and again.
        """
        if "setName" not in document:
            return False
        document.pop("topologyVersion", None)
        address = f"127.0.0.1:{self.port}"
        document |= {"hosts": [address], "me": address}
        if "primary" in document:
            document["primary"] = address
        return True


@dataclass
class _Connection:
    proxy: MongoProxy
    client: socket.socket
    server: socket.socket
    # By the number of the command whose answer meets them.
    faults: dict[int, Fault] = field(default_factory=dict)
    sending: threading.Lock = field(default_factory=threading.Lock)

    def run(self, task: Callable[[], None]) -> None:
        try:
            task()
        except OSError:
            pass
        finally:
            for each in (self.client, self.server):
                shut(each)

    def pass_commands(self) -> None:
        while message := _receive(self.client):
            number, _, code = _HEADER.unpack_from(message)[1:]
            document = _command(message) if code == _OP_MSG else None
            fault = self.proxy.take(Command(next(iter(document)), document)) if document else None
            if fault and fault.refusal is not None:
                self._answer(number, fault.refusal)
                continue
            if fault:
                self.faults[number] = fault
            self.server.sendall(message)

    def pass_answers(self) -> None:
        while message := _receive(self.server):
            number, code = _HEADER.unpack_from(message)[2:]
            # The document is the last part of either kind of answer.
            start = 36 if code == _OP_REPLY else 21
            document = bson.decode(message[start:])
            fault = self.faults.pop(number, None)
            is_changed = self.proxy.readdress(document)
            if fault and fault.amendment is not None:
                document |= fault.amendment
                is_changed = True
            if is_changed:
                body = message[16:start] + bson.encode(document)
                message = _HEADER.pack(16 + len(body), *_HEADER.unpack_from(message)[1:]) + body
            if fault and fault.delay:
                time.sleep(fault.delay)
            if fault and fault.part is not None:
                with self.sending:
                    self.client.sendall(message[: int(len(message) * fault.part)])
                return
            with self.sending:
                self.client.sendall(message)

    def _answer(self, number: int, document: Mapping[str, Any]) -> None:
        body = bytes(5) + bson.encode(document)
        with self.sending:
            self.client.sendall(_HEADER.pack(16 + len(body), 0, number, _OP_MSG) + body)


def _receive(source: socket.socket) -> bytes:
    """One message; empty at the end of the connection."""
    header = _receive_exactly(source, 16)
    return header and header + _receive_exactly(source, _HEADER.unpack(header)[0] - 16)


def _receive_exactly(source: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = source.recv(count - len(data))
        if not more:
            return b""
        data += more
    return data


def _command(message: bytes) -> dict[str, Any]:
    """The command of an OP_MSG, with the documents of its sequences."""
    flags = struct.unpack_from("<I", message, 16)[0]
    end = len(message) - (4 if flags & 1 else 0)
    document: dict[str, Any] = {}
    sequences: dict[str, list[dict[str, Any]]] = {}
    position = 20
    while position < end:
        kind = message[position]
        size = struct.unpack_from("<i", message, position + 1)[0]
        section = message[position + 1 : position + 1 + size]
        position += 1 + size
        if kind == 0:
            document = bson.decode(section)
        else:
            name, _, documents = section[4:].partition(b"\0")
            sequences[name.decode()] = bson.decode_all(documents)
    return document | sequences
