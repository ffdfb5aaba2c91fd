"""A client that goes through its commands, and sends each message until it is acknowledged, under its client id."""

import asyncio
import random
from dataclasses import dataclass
from typing import Any, Callable, Coroutine

from chaos.history import Attempt, Change, History
from chaos.plan import ClientPlan, Command
from chaos.rest import Rest
from chaos.session import ANSWER_SECONDS, RETRY_SECONDS, Room, Session

# Messages that one client may be waiting for.
MOST_PENDING = 12
# Refusals of a user that was removed from a private room.
REMOVED = {"not_joined", "forbidden", "not_found", "room_unavailable"}
# Removes a user from a room of the caller's, and adds the user again.
Expel = Callable[[str, Command], Coroutine[Any, Any, None]]


@dataclass
class Message:
    room: str
    client_id: str
    text: str
    is_acked: bool = False
    # Once it is acknowledged.
    id: str | None = None
    is_deleted: bool = False


class Client:
    def __init__(self, plan: ClientPlan, ports: list[int], rest: Rest, history: History, seed: int, expel: Expel):
        self.plan = plan
        self.session = Session(plan, ports, history)
        self.pending: list[Message] = []
        # Client ids of changes without an answer.
        self.changing: list[str] = []
        self._changes = 0
        self._sent: list[Message] = []
        # Messages and changes under way, and whether it tries none of them again.
        self._deliveries: set[asyncio.Task[Any]] = set()
        self._gives_up = False
        self._history = history
        self._instances = len(ports)
        self._rest = rest
        self._expel = expel
        self._chance = random.Random(f"{seed}/{plan.name}/at-run-time")

    async def run(self) -> None:
        """Connects, and goes through the commands at their times."""
        self.session.spawn(self.session.run())
        for command in self.plan.commands:
            await asyncio.sleep(max(0, command.at - self._history.now()))
            self._perform(command)

    async def stop_trying(self) -> None:
        """Waits until each attempt under way has ended, and begins none again, so that it writes nothing any more."""
        self._gives_up = True
        if self._deliveries:
            _, not_joined = await asyncio.wait(self._deliveries, timeout=ANSWER_SECONDS + RETRY_SECONDS + 1)
            for each in not_joined:
                each.cancel()

    async def go_offline(self) -> None:
        """For the end of a run."""
        await self.session.go_offline(politely=self._chance.random() < 0.5)

    def lags(self, newest: dict[str, int]) -> list[str]:
        """Rooms that it is to be in, and is not, or has not seen to their end."""
        return [
            f"{self.plan.name} in {room.name}: {room.last or 0} of {newest[room.name]}"
            for room in self.session.rooms.values()
            if room.is_wanted and (not room.joined.is_set() or (room.last or 0) < newest.get(room.name, 0))
        ]

    def did_get_access(self, name: str) -> None:
        if name in self.session.rooms:
            self.session.join_anew(self.session.rooms[name])

    # Commands

    def _perform(self, command: Command) -> None:
        session, room = self.session, self.session.rooms[command.room]
        match command.kind:
            case "send":
                self._send(room)
            case "burst":
                for _ in range(int(command.amount)):
                    self._send(room)
            case "send_over_rest":
                self._send(room, command.instance)
            case "repeat":
                self._repeat(command.instance, command.amount)
            case "leave":
                session.spawn(self._leave_and_return(room, command.amount))
            case "move":
                session.instance = command.instance
                session.spawn(session.disconnect(politely=command.amount < 0.5))
            case "break":
                session.pause_until = self._history.now() + command.amount
                session.spawn(session.disconnect(politely=False))
            case "read":
                session.spawn(self._read_up_to(room, command.amount))
            case "edit" | "delete":
                self._change_own(room, command)
            case "react":
                self._react(room, command.amount)
            case "status":
                status = self._chance.choice(["online", "away", "busy"])
                session.spawn(session.request("set_status", "", {"status": status}, status))
            case "expel":
                session.spawn(self._expel(self.plan.user, command))

    async def _leave_and_return(self, room: Room, pause: float) -> None:
        if not room.is_wanted or not room.joined.is_set():
            return
        room.is_wanted = False
        await self.session.leave(room)
        await asyncio.sleep(pause * 3)
        self.session.want(room)

    async def _read_up_to(self, room: Room, part: float) -> None:
        if room.joined.is_set() and room.last:
            seq = max(1, round(room.last * (0.5 + part / 2)))
            await self.session.request("mark_read", room.name, {"seq": seq}, seq)

    def _begin(self, work: Coroutine[Any, Any, Any]) -> None:
        task = self.session.spawn(work)
        self._deliveries.add(task)
        task.add_done_callback(self._deliveries.discard)

    # Sending

    def _send(self, room: Room, over_rest: int | None = None) -> None:
        if len(self.pending) >= MOST_PENDING or not room.is_wanted:
            return
        id = f"{self.plan.name}-{len(self._sent) + 1}"
        message = Message(room.name, id, f"text of {id}")
        self._sent.append(message)
        self.pending.append(message)
        self._begin(self._deliver(message, room, over_rest))

    def _repeat(self, instance: int, age: float) -> None:
        """A recent message again, over another instance: acknowledged before, or under way."""
        recent = self._sent[-8:]
        if recent:
            self._begin(self._attempt_over_rest(recent[int(age * len(recent))], instance))

    # Changing

    def _change_own(self, room: Room, command: Command) -> None:
        """A recent message of the client's own."""
        mine = [each for each in self._sent[-20:] if each.room == room.name and each.id and not each.is_deleted]
        if not mine or not room.is_wanted:
            return
        message = mine[int(command.amount * len(mine))]
        assert message.id is not None
        if command.kind == "delete":
            message.is_deleted = True
            self._change(room, "delete_message", "deleted", message.id, "", {})
        else:
            text = f"edit {len(self._history.changes)} of {message.client_id}"
            self._change(room, "edit_message", "edited", message.id, text, {"message": text})

    def _react(self, room: Room, part: float) -> None:
        known = [id for id, (_, is_deleted, _) in list(room.view.items())[-20:] if not is_deleted]
        if known and room.is_wanted:
            emoji = self._chance.choice(["👍", "❤️", ":tada:"])
            data = {"emoji": emoji, "remove": self._chance.random() < 0.25}
            self._change(room, "react", "reaction", known[int(part * len(known))], emoji, data)

    def _change(self, room: Room, event: str, kind: str, target: str, text: str, data: dict[str, Any]) -> None:
        if len(self.changing) >= MOST_PENDING:
            return
        self._changes += 1
        id = f"{self.plan.name}-change-{self._changes}"
        self.changing.append(id)
        body = {"roomId": room.name, "messageId": target, "clientMessageId": id, **data}
        self._begin(self._deliver_change(room, event, kind, target, text, id, body))

    async def _deliver_change(
        self, room: Room, event: str, kind: str, target: str, text: str, id: str, body: dict[str, Any]
    ) -> None:
        """Tries until it is acknowledged, or refused for good."""
        while True:
            await room.joined.wait()
            if self._gives_up:
                return
            link, connection = self.session.link, self.session.connection
            assert link is not None and connection is not None
            change = Change(
                len(self._history.changes), self.plan.name, self.plan.user, connection.id, connection.instance, room.name,
                id, kind, target, text, self._history.now(),
            )  # fmt: skip
            self._history.changes.append(change)
            answer = await self.session.answer(link, link.request(event, body))
            change.ended_at = self._history.now()
            if isinstance(answer, str):
                change.outcome = answer
            elif answer.get("success"):
                change.outcome = "unchanged" if answer.get("unchanged") else "acked"
                change.seq = answer.get("seq")
                break
            else:
                change.outcome = "refused"
                change.code, change.is_retryable = answer["error"]["code"], answer["error"].get("retryable")
                if change.code in REMOVED:
                    self.session.lose(room)
                elif not change.is_retryable:
                    break
            await asyncio.sleep(RETRY_SECONDS)
        self.changing.remove(id)

    async def _deliver(self, message: Message, room: Room, over_rest: int | None) -> None:
        """Tries until it is acknowledged."""
        while not message.is_acked and not self._gives_up:
            if over_rest is not None:
                attempt = await self._attempt_over_rest(message, over_rest)
                over_rest = (over_rest + 1) % self._instances
            else:
                if not room.joined.is_set():
                    await room.joined.wait()
                    continue
                attempt = await self._attempt(message, room)
            if attempt.outcome == "acked":
                break
            await asyncio.sleep(RETRY_SECONDS)
        if message.is_acked:
            self.pending.remove(message)

    async def _attempt(self, message: Message, room: Room) -> Attempt:
        link, connection = self.session.link, self.session.connection
        assert link is not None and connection is not None
        attempt = self._begin_attempt(message, connection.id, connection.instance)
        future = link.request("send_message", _body(message) | {"roomId": message.room})
        self._end_attempt(attempt, message, await self.session.answer(link, future))
        if attempt.code in REMOVED:
            self.session.lose(room)
        return attempt

    async def _attempt_over_rest(self, message: Message, instance: int) -> Attempt:
        attempt = self._begin_attempt(message, None, instance)
        path = f"/api/chat/{message.room}/messages"
        self._end_attempt(attempt, message, await self._rest.call(instance, "POST", path, self.plan.user, _body(message)))
        return attempt

    def _begin_attempt(self, message: Message, connection: int | None, instance: int) -> Attempt:
        attempt = Attempt(
            len(self._history.attempts), self.plan.name, self.plan.user, connection, instance, message.room,
            message.client_id, message.text, self._history.now(),
        )  # fmt: skip
        self._history.attempts.append(attempt)
        return attempt

    def _end_attempt(self, attempt: Attempt, message: Message, answer: dict[str, Any] | str) -> None:
        attempt.ended_at = self._history.now()
        if isinstance(answer, str):
            attempt.outcome = answer
        elif answer.get("success"):
            attempt.outcome = "acked"
            attempt.message_id, attempt.seq = answer["messageId"], answer["seq"]
            message.id = answer["messageId"]
            attempt.is_duplicate = bool(answer.get("duplicate"))
            message.is_acked = True
        else:
            attempt.outcome = "refused"
            attempt.code, attempt.is_retryable = answer["error"]["code"], answer["error"].get("retryable")


def _body(message: Message) -> dict[str, Any]:
    return {"message": message.text, "clientMessageId": message.client_id}
