"""Messages on their way: one at a time in each room, so that a refused one keeps its place."""

import asyncio
import secrets
from dataclasses import dataclass, field
from typing import Any, Callable

from .backoff import Backoff
from .connection import Connection
from .errors import RequestError

# Most messages that may wait; one more is not taken.
_MOST_WAITING = 200
# Seconds; the shortest pause after a refusal that a later attempt may get over.
_LEAST_PAUSE = 0.3


@dataclass(eq=False)
class Entry:
    """A message that waits. `state` is `waiting`, `sending`, `sent` or `failed`."""

    room_id: str
    content: dict[str, Any]
    client_message_id: str = field(default_factory=lambda: secrets.token_hex(16))
    state: str = "waiting"
    # The last refusal. The entry waits for another attempt, or failed.
    error: RequestError | None = None
    seq: int | None = None
    message_id: str | None = None
    was_rejoined: bool = False


class Outbox:
    """Sends in order. A message whose outcome is unknown is sent again under its client id, so that it is stored once."""

    def __init__(
        self,
        connection: Connection,
        is_joined: Callable[[str], bool],
        rejoin: Callable[[str], None],
        sent: Callable[[Entry], None],
        refused: Callable[[Entry], None],
    ):
        self._connection = connection
        self._is_joined, self._rejoin = is_joined, rejoin
        self._sent, self._refused = sent, refused
        self._entries: list[Entry] = []
        self._lanes: dict[str, asyncio.Task[None]] = {}

    @property
    def room_ids(self) -> set[str]:
        return {entry.room_id for entry in self._entries}

    def pending(self, room_id: str) -> list[Entry]:
        return [entry for entry in self._entries if entry.room_id == room_id]

    def add(self, room_id: str, content: dict[str, Any]) -> Entry:
        if len(self._entries) >= _MOST_WAITING:
            raise RequestError("queue_full", f"{_MOST_WAITING} messages wait already.")
        entry = Entry(room_id, content)
        self._entries.append(entry)
        self.flush(room_id)
        return entry

    def flush(self, room_id: str) -> None:
        """Begins to send what waits; called once the room is joined."""
        lane = self._lanes.get(room_id)
        if (lane is None or lane.done()) and self._may_send(room_id):
            self._lanes[room_id] = asyncio.create_task(self._send_waiting(room_id))

    def did_store(self, message: dict[str, Any]) -> None:
        """A message took its place in the room's log: its entry is done, whether the acknowledgement came or not."""
        for entry in self.pending(message["roomId"]):
            if message.get("clientMessageId") == entry.client_message_id:
                self._accept(entry, message)

    def stop(self) -> None:
        for lane in self._lanes.values():
            lane.cancel()

    def _may_send(self, room_id: str) -> bool:
        return self._connection.is_online and self._is_joined(room_id)

    async def _send_waiting(self, room_id: str) -> None:
        backoff = Backoff()
        while self._may_send(room_id):
            entry = next((entry for entry in self.pending(room_id)), None)
            if entry is None:
                return
            entry.state = "sending"
            fields = {"roomId": room_id, **entry.content, "clientMessageId": entry.client_message_id}
            try:
                answer = await self._connection.emit("send_message", fields)
            except RequestError as error:
                if entry.state == "sent":
                    continue
                pause = self._pause_after(error, entry, backoff)
                if pause is None:
                    return
                await asyncio.sleep(pause)
            else:
                backoff.reset()
                self._accept(entry, answer)

    def _pause_after(self, error: RequestError, entry: Entry, backoff: Backoff) -> float | None:
        """Seconds until the next attempt; None when the room has to be joined first."""
        entry.state, entry.error = "waiting", error
        if error.code == "connection_lost":
            return None
        if error.code == "not_joined" and not entry.was_rejoined:
            entry.was_rejoined = True
            self._rejoin(entry.room_id)
            return None
        if error.retryable:
            return max(_LEAST_PAUSE, error.retry_after, backoff.next())
        entry.state = "failed"
        self._entries.remove(entry)
        self._refused(entry)
        return 0

    def _accept(self, entry: Entry, stored: dict[str, Any]) -> None:
        if entry not in self._entries:
            return
        entry.state, entry.error = "sent", None
        entry.seq, entry.message_id = stored["seq"], stored["messageId"]
        self._entries.remove(entry)
        self._sent(entry)
