"""The client: one connection, the rooms that were joined, a queue of messages to send."""

import asyncio
import logging
import secrets
from typing import Any, Callable

from .changes import KINDS, changed
from .connection import Connection, GetToken, Identity
from .errors import RequestError
from .outbox import Entry, Outbox
from .rest import Rest
from .room import Room
from .timeline import News

_log = logging.getLogger(__name__)


class ChatClient:
    """A client of the chat for one user. It reconnects, resumes and sends by itself.

    Use it as `async with ChatClient(...) as chat`. Events, for `on`, and what their handlers get:

    - `message(room, message)`: each message of a joined room once, in order: its newest history, then what was missed or comes live
    - `change(room, change, message)`: an edit, deletion, reaction or pin took effect; message is None when it is not here
    - `resync(room)`: the room's messages were dropped, because too many were missed; the next ones begin anew
    - `sent(entry)`, `refused(entry)`: a message was stored, or refused for good
    - `typing(room, user_id, is_typing)`, `read(room, user_id, seq)`, `person(room, user_id, is_here)`
    - `presence(user)`: of a user that `watch` named
    - `direct(data)`: a message straight to this user
    - `closed(room)`: the server put the user out of it
    - `state(name, error)`: `connecting`, `online`, `waiting`, `stopped`
    """

    def __init__(
        self,
        url: str,
        *,
        user_id: str | None = None,
        username: str | None = None,
        token: str | None = None,
        get_token: GetToken | None = None,
    ):
        self.identity = Identity(user_id, username, token, get_token)
        self.rest = Rest(url, self.identity)
        self.rooms: dict[str, Room] = {}
        self.presence: dict[str, dict[str, Any]] = {}
        self.connection = Connection(url, self.identity, self._began, self._receive, self._state_changed)
        self._outbox = Outbox(
            self.connection,
            is_joined=lambda id: id in self.rooms and self.rooms[id].is_joined,
            rejoin=lambda id: self._join_later(self.room(id)),
            sent=lambda entry: self._fire("sent", entry),
            refused=lambda entry: self._fire("refused", entry),
        )
        self._handlers: dict[str, list[Callable[..., Any]]] = {}
        self._status: str | None = None
        self._first: asyncio.Future[None] | None = None
        self._joins: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    # The connection

    async def __aenter__(self) -> "ChatClient":
        """Connects; raises a `RequestError` when the server refuses the user."""
        self._first = asyncio.get_running_loop().create_future()
        self._begin(self.connection.run())
        try:
            await self._first
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        self._outbox.stop()
        for task in [*self._tasks, *self._joins.values()]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def me(self) -> str | None:
        return self.identity.user_id

    def on(self, event: str, handler: Callable[..., Any]) -> None:
        self._handlers.setdefault(event, []).append(handler)

    # Rooms

    def room(self, room_id: str) -> Room:
        """The room of that id, made known if it was not."""
        if room_id not in self.rooms:
            self.rooms[room_id] = Room(room_id)
        return self.rooms[room_id]

    async def join(self, room_id: str) -> Room:
        """Joins a room, or resumes it, and sends its waiting messages. From now on this is done after every reconnect.

        An error that is retryable does not change that the room is joined later.
        """
        room = self.room(room_id)
        room.is_wanted = True
        if room_id not in self._joins or self._joins[room_id].done():
            self._joins[room_id] = asyncio.create_task(self._join(room))
        await asyncio.shield(self._joins[room_id])
        return room

    async def leave(self, room_id: str) -> None:
        """Forgets a room, and is no longer present in it."""
        room = self.rooms.pop(room_id, None)
        join = self._joins.pop(room_id, None)
        if join and not join.done():
            # Its answer is still to come, and the server then has the user in the room.
            self._begin(join)
        if room and room.is_joined:
            await self.connection.emit("leave_room", {"roomId": room_id})

    # Messages

    def send(self, room_id: str, message: str, **fields: Any) -> Entry:
        """Sends a message, at once or when the room is joined again. Raises `queue_full` when 200 wait already."""
        self.room(room_id)
        return self._outbox.add(room_id, {"message": message, **fields})

    def pending(self, room_id: str) -> list[Entry]:
        return self._outbox.pending(room_id)

    async def edit(self, room_id: str, message_id: str, message: str, **fields: Any) -> dict[str, Any]:
        return await self._change("edit_message", room_id, message_id, message=message, **fields)

    async def delete(self, room_id: str, message_id: str) -> dict[str, Any]:
        return await self._change("delete_message", room_id, message_id)

    async def react(self, room_id: str, message_id: str, emoji: str, remove: bool = False) -> dict[str, Any]:
        return await self._change("react", room_id, message_id, emoji=emoji, remove=remove)

    async def pin(self, room_id: str, message_id: str, remove: bool = False) -> dict[str, Any]:
        return await self._change("pin_message", room_id, message_id, remove=remove)

    async def send_directly(self, recipient_ids: list[str], message: str, **fields: Any) -> dict[str, Any]:
        """Sends straight to users, past all rooms; nothing of it is stored."""
        return await self.connection.emit("send_message", {"recipientIds": recipient_ids, "message": message, **fields})

    # Signals

    async def set_typing(self, room_id: str, is_typing: bool = True) -> None:
        await self.connection.emit("typing", {"roomId": room_id, "isTyping": is_typing})

    async def mark_read(self, room_id: str) -> None:
        """Up to the newest number here."""
        room = self.room(room_id)
        room.last_read_seq = max(room.last_read_seq, room.timeline.last_seq)
        await self.connection.emit("mark_read", {"roomId": room_id, "seq": room.last_read_seq})

    async def watch(self, user_ids: list[str]) -> None:
        """Watches the presence of users, from now on also after every reconnect."""
        self.presence.update({id: {} for id in user_ids if id not in self.presence})
        await self.connection.emit("subscribe_presence", {"userIds": list(user_ids)})

    async def set_status(self, status: str) -> None:
        """online, away, busy, invisible or offline; set again after every reconnect."""
        self._status = status
        await self.connection.emit("set_status", {"status": status})

    # The session

    def _state_changed(self, name: str, error: RequestError | None) -> None:
        for room in self.rooms.values():
            if name != "online":
                room.forget_live_state()
        if name == "stopped" and self._first and not self._first.done():
            self._first.set_exception(error or RequestError.connection_lost())
        self._fire("state", name, error)

    def _began(self, session: dict[str, Any]) -> None:
        self.identity.user_id, self.identity.username = session["userId"], session.get("username")
        if self._first and not self._first.done():
            self._first.set_result(None)
        if self._status:
            self._begin(self._try("set_status", {"status": self._status}))
        if self.presence:
            self._begin(self._try("subscribe_presence", {"userIds": list(self.presence)}))
        for room in list(self.rooms.values()):
            if room.is_wanted or room.id in self._outbox.room_ids:
                self._join_later(room)

    async def _try(self, event: str, data: dict[str, Any]) -> None:
        try:
            await self.connection.emit(event, data)
        except RequestError:
            pass

    async def _join(self, room: Room) -> None:
        try:
            # Live messages may move the timeline on before the answer is taken.
            last_seq = room.timeline.last_seq
            answer = await self._ask_to_join(room)
            if answer["lastSeq"] < last_seq:
                # The server numbers lower than what was seen: its store was reset, so the timeline is reset too.
                room.timeline.reset()
                answer = await self._ask_to_join(room)
        except RequestError as error:
            room.error, room.is_wanted = error, error.retryable
            raise
        if self.rooms.get(room.id) is not room:
            # It was left during the join. One joined again since is another `Room`, and the server's answer is the same for both.
            if room.id not in self.rooms:
                self._begin(self._try("leave_room", {"roomId": room.id}))
            raise RequestError.left()
        news = room.timeline.apply_join(answer)
        room.joined(answer)
        self._tell(room, news)
        self._outbox.flush(room.id)

    async def _ask_to_join(self, room: Room) -> dict[str, Any]:
        since = {"since": room.timeline.last_seq} if room.timeline.is_primed else {}
        return await self.connection.emit("join_room", {"roomId": room.id, **since})

    def _join_later(self, room: Room) -> None:
        async def join() -> None:
            try:
                await self.join(room.id)
            except RequestError:
                pass

        self._begin(join())

    # Events of the server

    def _receive(self, event: str, data: Any) -> None:
        room = self.rooms.get(data.get("roomId", "")) if isinstance(data, dict) else None
        if event in KINDS and room:
            self._take(room, {**data, "kind": KINDS[event]})
        elif event == "new_message" and room:
            self._take(room, data)
        elif event in ("presence_snapshot", "user_status_change"):
            self._note_presence(data["users"] if event == "presence_snapshot" else [data])
        elif event == "message":
            self._fire("direct", data)
        elif room:
            self._note_signal(room, event, data)

    def _take(self, room: Room, entry: dict[str, Any]) -> None:
        news = room.timeline.receive(entry)
        self._tell(room, news)
        if news.hole:
            self._join_later(room)

    def _tell(self, room: Room, news: News) -> None:
        if news.replaced:
            self._fire("resync", room)
        for message in news.added:
            room.typing.discard(message["userId"])
            self._outbox.did_store(message)
            self._fire("message", room, message)
        for change, before in news.changes:
            self._fire("change", room, change, before and changed(before, change))

    def _note_presence(self, users: list[dict[str, Any]]) -> None:
        for user in users:
            if user["userId"] in self.presence:
                self.presence[user["userId"]] = user
                self._fire("presence", user)

    def _note_signal(self, room: Room, event: str, data: dict[str, Any]) -> None:
        user_id = data.get("userId", "")
        if event == "user_typing" and user_id != self.me:
            (room.typing.add if data["isTyping"] else room.typing.discard)(user_id)
            self._fire("typing", room, user_id, data["isTyping"])
        elif event == "message_read":
            room.note_read(user_id, data["seq"])
            self._fire("read", room, user_id, data["seq"])
        elif event == "user_joined":
            room.people[user_id] = data["username"]
            self._fire("person", room, user_id, True)
        elif event == "user_left":
            room.people.pop(user_id, None)
            room.typing.discard(user_id)
            self._fire("person", room, user_id, False)
        elif event == "room_state":
            room.note_counts(data)
        elif event == "resync_required" and (room.id not in self._joins or self._joins[room.id].done()):
            room.timeline.reset()
            self._join_later(room)
        elif event == "error":
            room.error, room.is_wanted = RequestError.refusal(data), False
            room.forget_live_state()
            self._fire("closed", room)

    async def _change(self, event: str, room_id: str, message_id: str, **fields: Any) -> dict[str, Any]:
        data = {"roomId": room_id, "messageId": message_id, "clientMessageId": secrets.token_hex(16), **fields}
        return await self.connection.emit(event, data)

    def _fire(self, event: str, *values: Any) -> None:
        for handler in list(self._handlers.get(event, [])):
            try:
                handler(*values)
            except Exception:
                # A fault of the application's code must not end the connection.
                _log.exception("a handler of %s failed", event)

    def _begin(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
