"""A client's device: stays connected to one instance or another, and in the rooms that it is to be in, and notes what comes.

It resumes by `since`, or recovers its session where the framing has that.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Callable, Coroutine

from chaos.connection import BROKEN, LINKS, Link, Recovery
from chaos.history import Connection, History, Membership, Oddity, Request
from chaos.plan import ClientPlan

# How long a client waits for an answer before it goes to another instance. A sender is refused after 5 s.
ANSWER_SECONDS = 20.0
RETRY_SECONDS = 0.3
OnReply = Callable[[dict[str, Any]], None]


@dataclass
class Room:
    name: str
    is_wanted: bool = True
    # The number of the last message of this room that the client has; None before the first join.
    last: int | None = None
    membership: Membership | None = None
    # The connection over which it was joined last. On a further join over the same one, messages that come before the
    # answer may belong to the membership before.
    joined_over: int | None = None
    awaits_history: bool = False
    # Whether a recovered session is in it.
    is_recoverable: bool = False
    joined: asyncio.Event = field(default_factory=asyncio.Event)
    # Messages as the client has them, by id: text, whether it is deleted, and reactions by emoji.
    view: dict[str, list[Any]] = field(default_factory=dict)


class Session:
    def __init__(self, plan: ClientPlan, ports: list[int], history: History):
        self.history = history
        self.rooms = {name: Room(name) for name in plan.rooms}
        # Where it is, or tries to be next.
        self.instance = plan.instance
        # When it connects again, in seconds of the run.
        self.pause_until = 0.0
        self.link: Link | None = None
        self.connection: Connection | None = None
        self._plan = plan
        self._ports = ports
        self._connecting_to = plan.instance
        self._recovery: Recovery | None = None
        self._joining: Room | None = None
        self._wake = asyncio.Event()
        self._stops = False
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def is_online(self) -> bool:
        return self.link is not None

    async def run(self) -> None:
        """Stays connected until it is to go offline."""
        while not self._stops:
            await asyncio.sleep(max(0.0, self.pause_until - self.history.now()))
            if self._stops:
                return
            try:
                await self._connect()
            except BROKEN:
                self.instance = (self.instance + 1) % len(self._ports)
                await asyncio.sleep(0.2)
                continue
            await self._stay_joined()
            self._did_end()

    async def go_offline(self, politely: bool) -> None:
        self._stops = True
        await self.disconnect(politely)

    async def stop(self) -> None:
        self._stops = True
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.disconnect(politely=False)

    async def disconnect(self, politely: bool) -> None:
        link, connection = self.link, self.connection
        if link is None or connection is None:
            return
        connection.closed_by = connection.closed_by or "client"
        if politely:
            await link.close()
        else:
            link.abort()

    def spawn(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Work that ends with the session; a failure of it fails the run."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._did_finish)
        return task

    def _did_finish(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._note(f"the client failed: {error!r}")

    # Requests

    async def request(
        self, event: str, room: str, data: dict[str, Any], subject: Any = None, on_reply: OnReply = lambda _: None
    ) -> tuple[Request, dict[str, Any]]:
        """A request as it is recorded, and its reply."""
        link, connection = self.link, self.connection
        request = Request(
            self._plan.name, self._plan.user, connection.id if connection else None,
            connection.instance if connection else self.instance, event, room, self.history.now(), subject,
        )  # fmt: skip
        self.history.requests.append(request)
        answer: dict[str, Any] | str = "lost"
        if link is not None:
            answer = await self.answer(link, link.request(event, data | ({"roomId": room} if room else {}), on_reply))
        request.ended_at = self.history.now()
        if isinstance(answer, str):
            request.outcome = answer
            return request, {}
        if answer.get("success"):
            request.outcome = "ok"
            return request, answer
        request.outcome = "refused"
        request.code, request.is_retryable = answer["error"]["code"], answer["error"].get("retryable")
        return request, {}

    async def answer(self, link: Link, future: "asyncio.Future[Any]") -> dict[str, Any] | str:
        """The reply, "lost" when the connection ended first, "unanswered" when none came in time; that ends the connection."""
        try:
            return await asyncio.wait_for(future, ANSWER_SECONDS)
        except (asyncio.TimeoutError, TimeoutError):
            if link.ended.is_set():
                return "lost"
            if self.connection is not None and self.link is link:
                self.connection.closed_by = "client gave up"
            link.abort()
            return "unanswered"
        except ConnectionError:
            return "lost"

    # The connection

    async def _connect(self) -> None:
        # A command may move the client elsewhere meanwhile.
        self._connecting_to = self.instance
        port, recovery = self._ports[self.instance], self._recovery
        self._recovery = None
        link = await LINKS[self._plan.framing].open(port, self._plan.user, self._received, recovery, self._did_recover)
        if self._stops:
            link.abort()
            raise ConnectionError("stopped")
        if self.link is None:
            self._adopt(link)

    def _adopt(self, link: Link) -> None:
        self.link = link
        self.connection = Connection(
            len(self.history.connections), self._plan.name, self._plan.user, self._connecting_to, self.history.now()
        )
        self.history.connections.append(self.connection)

    def _did_recover(self, link: Link) -> None:
        """The session is in its rooms again, and what it missed comes next."""
        self._adopt(link)
        assert self.connection is not None
        for room in self.rooms.values():
            # Also in a room of which the client knows that its user was removed and added again meanwhile.
            room.joined_over = self.connection.id
            room.awaits_history = False
            if room.is_recoverable and room.is_wanted:
                room.membership = self._membership(room)
                room.membership.is_recovered = True
                self.history.memberships.append(room.membership)
                room.joined.set()
            elif room.is_recoverable:
                self.spawn(self.leave(room))

    def _did_end(self) -> None:
        link, connection = self.link, self.connection
        if link is None or connection is None:
            return
        connection.closed_at = self.history.now()
        connection.code = link.close_code
        if connection.closed_by is None:
            connection.closed_by = "server"
            self.instance = (self.instance + 1) % len(self._ports)
        self._recovery = link.recovery
        for room in self.rooms.values():
            room.is_recoverable = room.joined.is_set()
            self._end_membership(room)
        self.link = self.connection = None

    # Rooms

    async def _stay_joined(self) -> None:
        """Joins the rooms that it is to be in, one after the other, until the connection ends."""
        link = self.link
        assert link is not None
        ended = asyncio.create_task(link.ended.wait())
        while not link.ended.is_set():
            self._wake.clear()
            missing = [room for room in self.rooms.values() if room.is_wanted and not room.joined.is_set()]
            for room in missing:
                await self._join(room)
            again = any(room.is_wanted and not room.joined.is_set() for room in missing)
            waking = asyncio.create_task(self._wake.wait())
            await asyncio.wait({ended, waking}, timeout=RETRY_SECONDS if again else 5, return_when=asyncio.FIRST_COMPLETED)
            waking.cancel()

    async def _join(self, room: Room) -> None:
        if self.link is None or self.link.ended.is_set():
            return
        membership = room.membership = self._membership(room)
        room.awaits_history = room.joined_over == membership.connection
        self._joining = room
        try:
            data = {} if room.last is None else {"since": room.last}
            answered = lambda reply: self._did_join(room, membership, reply)
            request, reply = await self.request("join_room", room.name, data, room.last, answered)
        finally:
            self._joining = None
        if room.membership is not membership:
            return
        if request.outcome == "ok" and room.is_wanted:
            room.last = max(room.last or 0, membership.last_seq)
            self.history.memberships.append(membership)
            room.joined.set()
        elif not room.joined.is_set():
            room.membership = None

    def _did_join(self, room: Room, membership: Membership, reply: dict[str, Any]) -> None:
        """The answer holds the history, so that it belongs to this join whatever else is under way."""
        if reply.get("success"):
            room.joined_over = membership.connection
            if room.membership is membership:
                room.awaits_history = False
                membership.resync = bool(reply.get("resync"))
                membership.last_seq = reply.get("lastSeq", 0)
                if membership.resync:
                    room.view.clear()
                self._see(room, reply["messages"])
                changed = reply.get("changes", [])
                membership.changed = [each["seq"] for each in changed]
                for each in changed:
                    self._update(room, each)

    async def leave(self, room: Room) -> Request:
        self._end_membership(room)
        request, _ = await self.request("leave_room", room.name, {})
        return request

    def want(self, room: Room) -> None:
        room.is_wanted = True
        self._wake.set()

    def lose(self, room: Room) -> None:
        """The client heard that it is not in the room any more; it joins again."""
        room.is_recoverable = False
        self._end_membership(room)
        self._wake.set()

    def join_anew(self, room: Room) -> None:
        """Its user was removed from a room and added again: the client joins, whatever it noticed."""
        if room.joined.is_set():
            self.spawn(self.leave(room))
        self.lose(room)

    def _membership(self, room: Room) -> Membership:
        assert self.connection is not None
        return Membership(
            self.connection.id, self._plan.name, self._plan.user, self.connection.instance, room.name, room.last,
            self.history.now(),
        )  # fmt: skip

    def _end_membership(self, room: Room) -> None:
        room.joined.clear()
        if room.membership is not None:
            room.membership.left_at = self.history.now()
            room.membership = None

    # What comes

    def _received(self, event: str, data: Any) -> None:
        match event:
            case "new_message":
                room = self.rooms.get(data["roomId"])
                if room is not None and not room.awaits_history:
                    self._see(room, [data])
            case "message_edited" | "message_deleted" | "message_reaction" | "message_pinned":
                room = self.rooms.get(data["roomId"])
                if room is not None and not room.awaits_history:
                    self._see_change(room, event, data)
            case "message_changes" | "room_state":
                room = self.rooms.get(data["roomId"])
                if room is not None and room.membership is not None and room.membership.is_recovered:
                    self._recover(room, room.membership, data)
            case "resync_required" if self._joining is None or self._joining.name != data.get("roomId"):
                self._note(f"resync_required outside a join: {data}")
            case "error":
                self._note(f"error {data}", data.get("code"))

    def _see(self, room: Room, messages: list[dict[str, Any]]) -> None:
        membership = room.membership
        if membership is None:
            return
        now = self.history.now()
        for message in messages:
            if message["roomId"] != room.name:
                self._note(f"a message of {message['roomId']} in the history of {room.name}")
                continue
            membership.seen.append((message["seq"], message["messageId"], message["message"], now))
            room.last = max(room.last or 0, message["seq"])
            self._update(room, message)

    @staticmethod
    def _update(room: Room, message: dict[str, Any]) -> None:
        reactions = {each["emoji"]: each["count"] for each in message.get("reactions", [])}
        room.view[message["messageId"]] = [message["message"], message.get("deleted", False), reactions]

    def _recover(self, room: Room, membership: Membership, data: dict[str, Any]) -> None:
        """What a recovered session missed ends with the room's state; changes have no events of their own there."""
        for each in data.get("messages", []):
            membership.changed.append(each["seq"])
            self._update(room, each)
        if "members" in data and membership.last_seq == 0:
            membership.last_seq = data["lastSeq"]
            room.last = max(room.last or 0, membership.last_seq)

    def _see_change(self, room: Room, event: str, data: dict[str, Any]) -> None:
        if room.membership is None:
            return
        room.membership.seen.append((data["seq"], data["messageId"], "", self.history.now()))
        room.last = max(room.last or 0, data["seq"])
        known = room.view.get(data["messageId"])
        if known is None:
            return
        match event:
            case "message_edited":
                known[0] = data["message"]
            case "message_deleted":
                known[:] = ["", True, {}]
            case "message_reaction" if data["count"]:
                known[2][data["emoji"]] = data["count"]
            case "message_reaction":
                known[2].pop(data["emoji"], None)

    def _note(self, what: str, code: str | None = None) -> None:
        self.history.oddities.append(Oddity(self._plan.name, self._plan.user, self.history.now(), what, code))
