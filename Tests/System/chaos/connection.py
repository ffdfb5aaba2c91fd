"""One connection of a client, in any of the three framings."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any, Callable

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from chaos.proxies import reset

OPEN_SECONDS = 8.0

# What may end a connection, or the attempt to open one.
BROKEN = (OSError, EOFError, WebSocketException, asyncio.TimeoutError, ConnectionError)


@dataclass
class Recovery:
    """What a client hands back to have its session again."""

    pid: str
    offset: str


class Link:
    """Sends requests, each with an id, and hands over events as they come."""

    path = "/"

    def __init__(self, socket: ClientConnection, on_event: Callable[[str, Any], None]):
        self.socket = socket
        self.on_event = on_event
        self._replies: dict[int, tuple[asyncio.Future[Any], Callable[[dict[str, Any]], None]]] = {}
        self._next_id = 1
        self.ended = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls,
        port: int,
        user: str,
        on_event: Callable[[str, Any], None],
        recovery: Recovery | None = None,
        on_recovered: Callable[["Link"], None] = lambda _: None,
    ) -> "Link":
        """An authenticated connection; raises one of `BROKEN`. `on_recovered` is called before the first event of a session
        that was recovered."""
        async with asyncio.timeout(OPEN_SECONDS):
            socket = await connect(
                f"ws://127.0.0.1:{port}{cls.path}",
                proxy=None,
                compression=None,
                ping_interval=None,
                open_timeout=None,
                close_timeout=2,
                max_size=1 << 22,
            )
            link = cls(socket, on_event)
            try:
                is_recovered = await link._greet(recovery)
                if is_recovered:
                    on_recovered(link)
                link._reader = asyncio.create_task(link._read())
                if is_recovered:
                    return link
                reply = await link.request("authenticate", {"userId": user, "username": user})
            except BaseException:
                link.abort()
                raise
        if not reply.get("success"):
            link.abort()
            raise ConnectionError(f"authenticate: {reply}")
        return link

    def request(
        self, event: str, data: dict[str, Any], on_reply: Callable[[dict[str, Any]], None] = lambda _: None
    ) -> asyncio.Future[Any]:
        """Sends at once, so that requests go in the order of the calls. `ConnectionError`: the connection ended first.

        `on_reply` is called with the reply before anything that came behind it is taken.
        """
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        # A reply that is not awaited any more is no error.
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        if self.ended.is_set():
            future.set_exception(ConnectionError("ended"))
            return future
        id, self._next_id = self._next_id, self._next_id + 1
        self._replies[id] = (future, on_reply)
        self._write(self._frame(event, data, id))
        return future

    async def close(self) -> None:
        """With a closing handshake."""
        await self._end()
        try:
            await self.socket.close()
        except BROKEN:
            pass

    def abort(self) -> None:
        """Without one, as a phone in a tunnel does."""
        reset(self.socket.transport)

    async def _end(self) -> None:
        """Before the closing handshake, where the framing has something to say."""

    @property
    def close_code(self) -> int | None:
        return self.socket.close_code

    # Of each framing

    @property
    def recovery(self) -> Recovery | None:
        """For the next connection, where the framing has recovery."""
        return None

    async def _greet(self, recovery: Recovery | None) -> bool:
        """The handshake before the first event; whether the session was recovered."""
        return False

    def _frame(self, event: str, data: dict[str, Any], id: int) -> str:
        return json.dumps({"event": event, "data": data, "id": id})

    def _take(self, text: str) -> None:
        frame = json.loads(text)
        if frame["event"] == "ack":
            self._reply(frame["id"], frame.get("data"))
        else:
            self.on_event(frame["event"], frame.get("data"))

    # Within

    def _reply(self, id: int, data: Any) -> None:
        future, on_reply = self._replies.pop(id, (None, None))
        reply = data if isinstance(data, dict) else {"success": True, "data": data}
        if on_reply is not None:
            on_reply(reply)
        if future is not None and not future.done():
            future.set_result(reply)

    def _write(self, text: str) -> None:
        # The `send` of the socket may wait, and a later call would overtake it.
        try:
            self.socket.protocol.send_text(text.encode())
            self.socket.send_data()
        except Exception:
            self.abort()

    async def _read(self) -> None:
        try:
            while True:
                text = await self.socket.recv()
                self._take(text if isinstance(text, str) else text.decode())
        except ConnectionClosed:
            pass
        finally:
            self.ended.set()
            replies, self._replies = self._replies, {}
            for future, _ in replies.values():
                if not future.done():
                    future.set_exception(ConnectionError("ended"))


class EventLink(Link):
    """Event frames."""


class TypeLink(Link):
    """Type frames: the fields stand beside the name."""

    path = "/ws"
    _named = {"message_history": "messages", "room_users": "users"}

    def _frame(self, event: str, data: dict[str, Any], id: int) -> str:
        return json.dumps({"type": event, **data, "id": id})

    def _take(self, text: str) -> None:
        frame = json.loads(text)
        name = frame.pop("type")
        if name == "ack":
            self._reply(frame.pop("id"), frame)
        else:
            self.on_event(name, frame.get(self._named[name]) if name in self._named else frame)


class SocketIOLink(Link):
    """Socket.IO over Engine.IO's WebSocket."""

    path = "/socket.io/?EIO=4&transport=websocket"
    _pid: str | None = None
    _offset: str | None = None

    @property
    def recovery(self) -> Recovery | None:
        return Recovery(self._pid, self._offset) if self._pid and self._offset else None

    async def _greet(self, recovery: Recovery | None) -> bool:
        opening = await self.socket.recv()
        if not isinstance(opening, str) or not opening.startswith("0"):
            raise ConnectionError(f"no Engine.IO opening: {opening!r}")
        auth: dict[str, Any] = {"recovery": True}
        if recovery is not None:
            auth |= {"pid": recovery.pid, "offset": recovery.offset}
        await self.socket.send("40" + json.dumps(auth))
        while True:
            packet = await self.socket.recv()
            if isinstance(packet, str) and packet.startswith("40"):
                self._pid = json.loads(packet[2:]).get("pid")
                is_recovered = recovery is not None and self._pid == recovery.pid
                self._offset = recovery.offset if recovery is not None and is_recovered else None
                return is_recovered
            if isinstance(packet, str) and packet.startswith("44"):
                raise ConnectionError(packet)

    async def _end(self) -> None:
        self._pid = None
        self._write("41")

    def _frame(self, event: str, data: dict[str, Any], id: int) -> str:
        return f"42{id}{json.dumps([event, data])}"

    def _take(self, text: str) -> None:
        if text == "2":
            self._write("3")
        elif text.startswith("43"):
            digits, _, rest = text[2:].partition("[")
            self._reply(int(digits), json.loads("[" + rest)[0])
        elif text.startswith("42"):
            name, *arguments = json.loads(text[text.index("[") :])
            if len(arguments) > 1 and isinstance(arguments[-1], str):
                self._offset = arguments[-1]
            self.on_event(name, arguments[0] if arguments else None)


LINKS: dict[str, type[Link]] = {"event": EventLink, "type": TypeLink, "socketio": SocketIOLink}
