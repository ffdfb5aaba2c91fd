"""What stands between one instance and the servers it uses, and loses or delays what it is told to."""

import asyncio
import random
import socket
from typing import Callable

from support.server import free_port


class Link:
    """A TCP relay on loopback. Its connections can be cut, refused, or stand without passing anything on."""

    def __init__(self, port: int, chance: random.Random):
        """`port`: the server's."""
        self.port = free_port()
        self.chance = chance
        # The longest that a piece of an answer waits, in seconds.
        self.lag = 0.0
        self._server_port = port
        self._refuses = False
        self._passes = asyncio.Event()
        self._passes.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task] = set()
        self._listener: asyncio.Server | None = None

    async def start(self) -> "Link":
        self._listener = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        return self

    def cut(self) -> None:
        """Ends all connections and refuses new ones, until `mend`."""
        self._refuses = True
        for writer in list(self._writers):
            reset(writer.transport)

    def silence(self) -> None:
        """Connections stand, and nothing passes, until `mend`."""
        self._passes.clear()

    def mend(self) -> None:
        self._refuses = False
        self.lag = 0.0
        self._passes.set()

    async def close(self) -> None:
        self.cut()
        self._passes.set()
        if self._listener is not None:
            self._listener.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def answers(self, connection: "Exchange") -> Callable[[bytes], list[bytes] | None]:
        """What passes on the server's bytes: pieces that reach the instance; None ends the connection."""
        return lambda data: [data]

    async def hold(self, piece: bytes) -> None:
        """Waits before a piece of the server's answer goes on."""

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            if self._refuses:
                reset(writer.transport)
                return
            try:
                server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._server_port)
            except OSError:
                reset(writer.transport)
                return
            exchange = Exchange()
            both = {writer, server_writer}
            self._writers |= both
            try:
                await asyncio.gather(
                    self._requests(reader, server_writer, exchange),
                    self._answers(server_reader, writer, self.answers(exchange)),
                )
            finally:
                self._writers -= both
                for each in both:
                    reset(each.transport)
        except (OSError, asyncio.IncompleteReadError):
            pass

    async def _requests(self, reader, writer, exchange: "Exchange") -> None:
        try:
            while data := await reader.read(1 << 16):
                await self._passes.wait()
                exchange.last_request = data
                writer.write(data)
                await writer.drain()
        finally:
            reset(writer.transport)

    async def _answers(self, reader, writer, change) -> None:
        try:
            while data := await reader.read(1 << 16):
                await self._passes.wait()
                pieces = change(data)
                if pieces is None:
                    return
                for piece in pieces:
                    if self.lag:
                        await asyncio.sleep(self.chance.uniform(0, self.lag))
                    await self.hold(piece)
                    writer.write(piece)
                await writer.drain()
        finally:
            reset(writer.transport)


class Exchange:
    """One connection through a link."""

    last_request = b""


class RedisLink(Link):
    """Loses a part of the publications that reach its instance, or has them wait."""

    loss = 0.0
    delay = 0.0
    lost = 0

    def mend(self) -> None:
        super().mend()
        self.loss = self.delay = 0.0

    def answers(self, connection: Exchange):
        splitter = ReplySplitter()

        def change(data: bytes) -> list[bytes]:
            kept = []
            for reply in splitter.feed(data):
                if is_publication(reply) and self.chance.random() < self.loss:
                    self.lost += 1
                else:
                    kept.append(reply)
            return kept

        return change

    async def hold(self, piece: bytes) -> None:
        """The connection's order is kept, as Redis keeps it."""
        if self.delay and is_publication(piece):
            await asyncio.sleep(self.chance.uniform(0, self.delay))


class MongoLink(Link):
    """Loses answers: the server has done what was asked, and the connection ends before it says so."""

    loss = 0.0
    lost = 0

    def mend(self) -> None:
        super().mend()
        self.loss = 0.0

    def answers(self, connection: Exchange):
        def change(data: bytes) -> list[bytes] | None:
            if self.loss and _is_write(connection.last_request) and self.chance.random() < self.loss:
                self.lost += 1
                return None
            return [data]

        return change


def _is_write(request: bytes) -> bool:
    head = request[:160]
    return any(name in head for name in (b"insert\0", b"update\0", b"findAndModify\0", b"delete\0", b"commitTransaction\0"))


def is_publication(reply: bytes) -> bool:
    return reply.startswith((b"*3\r\n$7\r\nmessage\r\n", b"*3\r\n$8\r\nsmessage\r\n"))


class ReplySplitter:
    """Splits a stream of RESP into whole replies."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> list[bytes]:
        self._buffer += data
        replies, start = [], 0
        while (end := self._end(start)) is not None:
            replies.append(self._buffer[start:end])
            start = end
        self._buffer = self._buffer[start:]
        return replies

    def _end(self, start: int) -> int | None:
        """Where the reply that begins at `start` ends; None when it is not all there."""
        missing, at = 1, start
        while missing:
            line_end = self._buffer.find(b"\r\n", at)
            if line_end < 0:
                return None
            kind, value = self._buffer[at : at + 1], self._buffer[at + 1 : line_end]
            at = line_end + 2
            missing -= 1
            if kind == b"*":
                missing += max(0, int(value))
            elif kind == b"$" and int(value) >= 0:
                at += int(value) + 2
                if at > len(self._buffer):
                    return None
        return at


def reset(transport: asyncio.WriteTransport) -> None:
    """Ends a connection at once, with RST."""
    raw = transport.get_extra_info("socket")
    if raw is not None and raw.fileno() >= 0:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    transport.abort()
