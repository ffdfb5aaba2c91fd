"""Clients that keep sending through everything, as good ones do: they retry by client id and resume by `since`."""

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, AsyncIterator, Callable, Sequence

from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake, WebSocketException

from support.deadline import TIMEOUT_SECONDS

# Seconds until a client tries again what was refused as retryable.
RETRY_PAUSE = 0.1


@dataclass
class Acknowledged:
    message_id: str
    seq: int


@dataclass
class Talker:
    """One client: the messages acknowledged to it, and those it received of its room."""

    # Where it may connect; the next one's turn comes when a connection ends.
    urls: Sequence[str]
    user: str
    room: str
    # Seconds between an acknowledgement and the next message.
    pause: float = 0
    acknowledged: dict[str, Acknowledged] = field(default_factory=dict)
    seen: list[dict[str, Any]] = field(default_factory=list)
    # When each of `seen` was first here, by the loop's clock.
    seen_at: dict[int, float] = field(default_factory=dict)
    draining: list[dict[str, Any]] = field(default_factory=list)
    closes: list[int | None] = field(default_factory=list)
    resyncs: int = 0
    refused: list[str] = field(default_factory=list)
    # Seconds from each message to its acknowledgement.
    latencies: list[float] = field(default_factory=list)
    sent: int = 0
    waiting: str | None = None
    is_sending: bool = True
    _due: float | None = None
    _sent_at: float = 0
    _turn: int = 0

    @property
    def last(self) -> int:
        return self.seen[-1]["seq"] if self.seen else 0

    @property
    def url(self) -> str:
        """Where it is, or tries to be."""
        return self.urls[self._turn % len(self.urls)]

    async def run(self, until: asyncio.Event) -> None:
        """Connects, resumes and talks, again and again, until it is stopped."""
        while not until.is_set():
            try:
                await self._session(until)
            except (OSError, EOFError, WebSocketException, InvalidHandshake, asyncio.TimeoutError):
                await asyncio.sleep(0.02)
            self._turn += 1

    async def _session(self, until: asyncio.Event) -> None:
        async with connect(self.url, proxy=None, compression=None, open_timeout=TIMEOUT_SECONDS, close_timeout=2) as socket:
            try:
                await self._say(socket, "authenticate", {"userId": self.user})
                await self._join(socket)
                await self._talk(socket, until)
            finally:
                self.closes.append(socket.close_code)

    async def _talk(self, socket, until: asyncio.Event) -> None:
        joined = False
        self._due = None
        while not until.is_set():
            frame = await self._next_frame(socket)
            if frame is None:
                continue
            name, data = frame["event"], frame.get("data")
            match name:
                case "message_history":
                    self._see(*data)
                case "new_message":
                    self._see(data)
                case "resync_required":
                    self.resyncs += 1
                case "server_draining":
                    self.draining.append(data)
                case "room_state" if not joined:
                    joined = True
                    self._send_in(0)
                case "ack":
                    self._take(frame["id"], data)
                case "error":
                    assert data["retryable"], data
                    self.refused.append(data["code"])
                    if not joined:
                        await asyncio.sleep(RETRY_PAUSE)
                        await self._join(socket)

    async def _next_frame(self, socket) -> dict[str, Any] | None:
        """What comes next; None when it was time to send, or nothing came for a while."""
        now = asyncio.get_running_loop().time()
        wait = 0.5 if self._due is None else min(0.5, self._due - now)
        if wait <= 0:
            self._due = None
            await self._send_next(socket)
            return None
        try:
            return json.loads(await asyncio.wait_for(socket.recv(), wait))
        except TimeoutError:
            return None

    def _see(self, *messages: dict[str, Any]) -> None:
        now = asyncio.get_running_loop().time()
        for message in messages:
            self.seen.append(message)
            self.seen_at.setdefault(message["seq"], now)

    def _take(self, id: str, ack: dict[str, Any]) -> None:
        if ack["success"]:
            self.acknowledged[id] = Acknowledged(ack["messageId"], ack["seq"])
            self.latencies.append(asyncio.get_running_loop().time() - self._sent_at)
            self.waiting = None
            self._send_in(self.pause)
        else:
            assert ack["error"]["retryable"], ack
            self.refused.append(ack["error"]["code"])
            self._send_in(RETRY_PAUSE)

    def _send_in(self, seconds: float) -> None:
        self._due = asyncio.get_running_loop().time() + seconds

    async def _send_next(self, socket) -> None:
        """The message that was not acknowledged again, with its old id, or the next one."""
        if self.waiting is None:
            if not self.is_sending:
                return
            self.sent += 1
            self.waiting = f"{self.user}-{self.sent}"
        data = {"roomId": self.room, "message": f"text of {self.waiting}", "clientMessageId": self.waiting}
        self._sent_at = asyncio.get_running_loop().time()
        await socket.send(json.dumps({"event": "send_message", "data": data, "id": self.waiting}))

    async def _join(self, socket) -> None:
        await self._say(socket, "join_room", {"roomId": self.room, "since": self.last})

    @staticmethod
    async def _say(socket, event: str, data: dict[str, Any]) -> None:
        await socket.send(json.dumps({"event": event, "data": data}))


# Running them


class Talk:
    """Talkers at work."""

    def __init__(self, talkers: Sequence[Talker]):
        self.talkers = talkers
        self._stop = asyncio.Event()
        self._running = [asyncio.create_task(talker.run(self._stop)) for talker in talkers]

    async def until(self, condition: Callable[[], bool], what: str, seconds: float = TIMEOUT_SECONDS) -> None:
        """Waits for a condition; a talker that failed fails this."""
        try:
            async with asyncio.timeout(seconds):
                while not condition():
                    for task in self._running:
                        if task.done():
                            task.result()
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(f"not within {seconds} s: {what}") from None

    async def progress(self, count: int = 1, seconds: float = TIMEOUT_SECONDS) -> None:
        """Waits until everybody got `count` more acknowledgements."""
        before = [len(talker.acknowledged) for talker in self.talkers]
        await self.until(
            lambda: all(len(t.acknowledged) >= n + count for t, n in zip(self.talkers, before)), "all talk", seconds
        )

    async def finish(self) -> None:
        """Lets everybody have the ack that is still owed, and see what the others said last."""
        for talker in self.talkers:
            talker.is_sending = False
        await self.until(lambda: all(talker.waiting is None for talker in self.talkers), "the last acks")
        newest: dict[str, int] = {}
        for talker in self.talkers:
            for ack in talker.acknowledged.values():
                newest[talker.room] = max(newest.get(talker.room, 0), ack.seq)
        await self.until(lambda: all(t.last >= newest.get(t.room, 0) for t in self.talkers), "everybody is up to date")

    async def end(self) -> None:
        self._stop.set()
        await asyncio.gather(*self._running)


@asynccontextmanager
async def talking(talkers: Sequence[Talker]) -> AsyncIterator[Talk]:
    """Talkers at work for the length of the block, which ends when everybody is up to date."""
    talk = Talk(talkers)
    try:
        yield talk
        await talk.finish()
    finally:
        await talk.end()


# Judging them


def whole_history(server, room: str) -> list[dict[str, Any]]:
    """Everything the store holds of a room, page by page."""
    messages: list[dict[str, Any]] = []
    while True:
        after = messages[-1]["seq"] if messages else 0
        page = server.get(f"/api/chat/{room}/history?after={after}&limit=1000").json()
        messages += page["messages"]
        if not page["hasMore"]:
            return messages


def check(server, talkers: Sequence[Talker]) -> int:
    """No acknowledged message lost, none repeated, numbers without holes, and everybody saw it all; how many there were."""
    total = 0
    for room in {talker.room for talker in talkers}:
        history = whole_history(server, room)
        assert [message["seq"] for message in history] == list(range(1, len(history) + 1)), "numbering without holes"
        by_client_id = {message["clientMessageId"]: message for message in history}
        assert len(by_client_id) == len(history), "none is stored twice"
        for talker in (each for each in talkers if each.room == room):
            for id, ack in talker.acknowledged.items():
                stored = by_client_id[id]
                assert (stored["messageId"], stored["seq"]) == (ack.message_id, ack.seq), "as it was acknowledged"
            assert talker.resyncs == 0
            assert talker.seen == history[: len(talker.seen)], "each once, in order, as stored"
            assert len(talker.seen) == len(history), f"{talker.user} saw {len(talker.seen)} of {len(history)}"
        total += len(history)
    return total
