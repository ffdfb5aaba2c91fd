"""The findings at the end: in the store, on every instance, in Redis, in the queue."""

import asyncio
import json
from collections import defaultdict
from typing import Any, Awaitable, Callable

import aio_pika

from chaos.client import Client
from chaos.connection import BROKEN, EventLink
from chaos.deployment import QUEUE, Deployment
from chaos.history import Event, History, Stored
from chaos.judge.final_state import last_messages_are_true, listings_are_true, read_marks_are_true
from chaos.rest import Rest

# How long all together may take to come to rest after the last fault. The sweep that finds a room's last message takes 30 s.
REST_SECONDS = 120.0


class Consumer:
    """Reads the queue of events for the length of the run, through outages of the broker."""

    def __init__(self, deployment: Deployment):
        self._deployment = deployment
        self.events: dict[str, Event] = {}

    async def run(self) -> None:
        while True:
            try:
                connection = await aio_pika.connect(self._deployment.broker.url, timeout=10)
                async with connection:
                    channel = await connection.channel()
                    await channel.set_qos(prefetch_count=200)
                    queue = await channel.get_queue(QUEUE, ensure=True)
                    async with queue.iterator() as deliveries:
                        async for delivery in deliveries:
                            self._take(delivery)
                            await delivery.ack()
            except (OSError, asyncio.TimeoutError, aio_pika.exceptions.AMQPError, RuntimeError):
                pass
            await asyncio.sleep(0.5)

    def _take(self, delivery: aio_pika.abc.AbstractIncomingMessage) -> None:
        data = json.loads(delivery.body)["data"]
        event = Event(
            data["messageId"], data["roomId"], data["seq"], data["senderId"], data["receiverId"], data["message"]
        )
        self.events[delivery.message_id or ""] = event

    async def waiting(self) -> int:
        """Events in the queue."""
        try:
            connection = await aio_pika.connect(self._deployment.broker.url, timeout=10)
            async with connection:
                channel = await connection.channel()
                queue = await channel.declare_queue(QUEUE, passive=True)
                return queue.declaration_result.message_count or 0
        except (OSError, asyncio.TimeoutError, aio_pika.exceptions.AMQPError, RuntimeError):
            return -1


class Findings:
    def __init__(self, deployment: Deployment, history: History, clients: list[Client], rest: Rest, consumer: Consumer):
        self._deployment = deployment
        self._history = history
        self._final = history.final
        self._clients = clients
        self._rest = rest
        self._consumer = consumer
        self._deadline = history.rested_at + REST_SECONDS

    async def wait_for_rest(self) -> None:
        """Until all is acknowledged, seen and published, or its time is over."""
        await self._within("all messages are acknowledged", lambda: [m for c in self._clients for m in [*c.pending, *c.changing]])
        # What would be acknowledged later could not be compared with the store, which is read once.
        await asyncio.gather(*(client.stop_trying() for client in self._clients))
        newest = await asyncio.to_thread(self._newest)
        await self._within("all members have seen all", lambda: [lag for c in self._clients for lag in c.lags(newest)])
        await asyncio.gather(*(self._wait_until_ready(number) for number in range(len(self._deployment.servers))))
        for client in self._clients:
            if not client.plan.ends_online:
                await client.go_offline()
        await self._within("all events are published", self._pending_events)

    async def collect(self) -> None:
        self._final.stored = await asyncio.to_thread(self._read_store)
        self._final.leftovers = await asyncio.to_thread(self._find_leftovers)
        self._final.views = {
            client.plan.name: {room.name: room.view for room in client.session.rooms.values() if room.joined.is_set()}
            for client in self._clients
        }
        await self._within("presence is true", self._wrong_presence, raises=False)
        await self._within("the keys in Redis are true", self._wrong_keys, raises=False)
        await self._within("read marks are true", self._wrong_read_marks, raises=False)
        await self._within("lists of rooms are true", self._wrong_listings, raises=False)
        await self._within("last messages are stored", self._wrong_last_messages, raises=False)
        self._final.events = list(self._consumer.events.values())
        await asyncio.gather(*(self._read_pages(number) for number in range(len(self._deployment.servers))))
        await asyncio.gather(*(self._read_members(number) for number in range(len(self._deployment.servers))))

    # Waiting

    async def _within(self, what: str, rest: Callable[[], Any], raises: bool = True) -> None:
        """Until nothing is left to wait for. What was left last is in the evidence."""
        while True:
            left = rest()
            if asyncio.iscoroutine(left):
                left = await left
            now = self._history.now()
            if left:
                self._final.last_left[what] = [str(each) for each in left[:5]]
            if not left or now > self._deadline:
                break
            await asyncio.sleep(0.1)
        if not left or raises:
            self._final.rest_after[what] = None if left else round(now - self._history.rested_at, 2)

    async def _wait_until_ready(self, number: int) -> None:
        while self._history.now() <= self._deadline:
            answer = await self._rest.call(number, "GET", "/ready", "")
            if isinstance(answer, dict) and answer.get("status") == "ok":
                self._final.ready_after[self._name(number)] = round(self._history.now() - self._history.rested_at, 2)
                return
            await asyncio.sleep(0.2)
        self._final.ready_after[self._name(number)] = None

    async def _pending_events(self) -> list[str]:
        pending = await asyncio.to_thread(self._count_pending)
        before = len(self._consumer.events)
        if pending:
            return [f"{pending} messages with pending events"]
        waiting = await self._consumer.waiting()
        await asyncio.sleep(0.5)
        if waiting or len(self._consumer.events) != before:
            return [f"{waiting} events in the queue"]
        return []

    # The store

    def _count_pending(self) -> int:
        with self._deployment.mongo.client() as client:
            return client["chat"]["messages"].count_documents({"eventOwner": {"$exists": True}})

    def _newest(self) -> dict[str, int]:
        newest: dict[str, int] = defaultdict(int)
        for each in self._read_store():
            newest[each.room] = max(newest[each.room], each.seq)
        return newest

    def _read_store(self) -> list[Stored]:
        with self._deployment.mongo.client() as client:
            found = client["chat"]["messages"].find({})
            stored = [_stored(each) for each in found]
            rooms = list(client["chat"]["rooms"].find({}))
        self._final.participants["store"] = {each["roomId"]: sorted(map(str, each["participants"])) for each in rooms}
        self._final.last_messages = {each["roomId"]: each.get("lastSeq", 0) for each in rooms}
        return stored

    def _find_leftovers(self) -> list[str]:
        """Texts that deleted messages had, wherever other programs could read them."""
        deleted = {each.message_id for each in self._final.stored if each.is_deleted}
        texts = {each.text for each in self._history.attempts if each.message_id in deleted}
        texts |= {each.text for each in self._history.changes if each.target in deleted and each.kind == "edited"}
        with self._deployment.mongo.client() as client:
            held = json.dumps([list(client["chat"][name].find({})) for name in ("messages", "rooms")], default=str)
        with self._deployment.redis.primary().client() as client:
            held += json.dumps([client.lrange(f"chat:history:{room}", 0, -1) for room in self._history.owners])
        held = held.replace("\\", "")
        return sorted(text for text in texts if f'"{text}"' in held)

    # Presence

    async def _wrong_presence(self) -> list[str]:
        expected = {client.plan.user: 0 for client in self._clients}
        for client in self._clients:
            expected[client.plan.user] += client.session.is_online
        self._final.expected_sessions = expected
        wrong = []
        for number in range(len(self._deployment.servers)):
            answer = await self._rest.call(number, "GET", f"/api/presence?ids={','.join(expected)}", "user-0")
            listed = answer.get("data", []) if isinstance(answer, dict) else []
            found = {each["userId"]: each["sessions"] if each["online"] else 0 for each in listed}
            self._final.sessions[self._name(number)] = found
            wrong += [f"{self._name(number)}: {user}" for user in expected if found.get(user) != expected[user]]
        return wrong

    async def _wrong_keys(self) -> list[str]:
        online = sorted(user for user, sessions in self._final.expected_sessions.items() if sessions)
        expected = {"online_users": online, "online:users:set": online}
        for room, users in self._users_in_rooms().items():
            expected[f"chat:room:{room}:users"] = users
        self._final.expected_keys = expected
        found = await asyncio.to_thread(self._read_keys, list(expected))
        self._final.keys = found
        return [key for key in expected if found[key] != expected[key]]

    def _read_keys(self, names: list[str]) -> dict[str, list[str]]:
        with self._deployment.redis.primary().client() as client:
            return {name: sorted(client.smembers(name)) for name in names}

    def _users_in_rooms(self) -> dict[str, list[str]]:
        users: dict[str, set[str]] = {room: set() for room in self._history.owners}
        for client in self._clients:
            for room in client.session.rooms.values():
                if room.joined.is_set():
                    users[room.name].add(client.plan.user)
        return {room: sorted(each) for room, each in users.items()}

    async def _read_members(self, number: int) -> None:
        """As a further session of the room's owner sees them, with its join."""
        self._final.expected_members = {
            room: sorted({*users, self._history.owners[room]}) for room, users in self._users_in_rooms().items()
        }
        for room, expected in self._final.expected_members.items():
            found = await self._members(number, room, expected)
            self._final.members.setdefault(self._name(number), {})[room] = found

    async def _members(self, number: int, room: str, expected: list[str]) -> list[str]:
        lists: list[list[str]] = [[]]

        def received(event: str, data: Any) -> None:
            if event == "room_users":
                lists.append(sorted(each["userId"] for each in data))

        while True:
            try:
                link = await EventLink.open(self._deployment.ports[number], self._history.owners[room], received)
                await link.request("join_room", {"roomId": room, "limit": 1})
                await link.close()
            except BROKEN:
                pass
            if lists[-1] == expected or self._history.now() > self._deadline:
                return lists[-1]
            await asyncio.sleep(0.3)

    # What instances say of rooms

    async def _read_pages(self, number: int) -> None:
        name = self._name(number)
        for room, owner in self._history.owners.items():
            messages = await self._whole_history(number, room, owner)
            page = [(each["seq"], each["messageId"], each["message"]) for each in messages]
            self._final.pages.setdefault(name, {})[room] = page
            answer = await self._rest.call(number, "GET", f"/api/rooms/{room}", owner)
            listed = answer["room"]["participants"] if isinstance(answer, dict) and answer.get("success") else []
            self._final.participants.setdefault(name, {})[room] = sorted(_id(each) for each in listed)

    async def _whole_history(self, number: int, room: str, owner: str) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = []
        while True:
            after = messages[-1]["seq"] if messages else 0
            answer = await self._rest.call(number, "GET", f"/api/chat/{room}/history?after={after}&limit=1000", owner)
            if not isinstance(answer, dict) or not answer.get("success"):
                return messages
            messages += answer["messages"]
            if not answer["hasMore"] or not answer["messages"]:
                return messages

    async def _wrong_read_marks(self) -> list[str]:
        """Marks reach the other instances a moment later, and those of senders are stored behind their messages."""
        for number in range(len(self._deployment.servers)):
            for room, owner in self._history.owners.items():
                answer = await self._rest.call(number, "GET", f"/api/chat/{room}/read-marks?limit=1000", owner)
                marks = answer.get("readMarks", []) if isinstance(answer, dict) else []
                found = {each["userId"]: each["seq"] for each in marks}
                self._final.read_marks.setdefault(self._name(number), {})[room] = found
        return [violation.what for violation in read_marks_are_true(self._history)]

    async def _wrong_listings(self) -> list[str]:
        """A room's last message is stored a moment behind it. Each user asks another instance."""
        for index, user in enumerate(sorted({client.plan.user for client in self._clients})):
            number = index % len(self._deployment.servers)
            answer = await self._rest.call(number, "GET", "/api/rooms?limit=200", user)
            rooms = answer.get("rooms", []) if isinstance(answer, dict) else []
            self._final.listings[user] = {
                each["roomId"]: [
                    each["lastSeq"], (each.get("lastMessage") or {}).get("seq", 0), each["lastReadSeq"], each["unread"]
                ]  # fmt: skip
                for each in rooms
            }
        return [violation.what for violation in listings_are_true(self._history)]

    async def _wrong_last_messages(self) -> list[str]:
        await asyncio.to_thread(self._read_store)
        return [violation.what for violation in last_messages_are_true(self._history)]

    def _name(self, number: int) -> str:
        return self._deployment.name(number)


def _id(participant: Any) -> str:
    return str(participant["userId"] if isinstance(participant, dict) else participant)


def _stored(document: dict[str, Any]) -> Stored:
    change = document.get("change")
    if change is not None:
        return Stored(
            str(document["_id"]), document["roomId"], document["seq"], str(change["userId"]), document.get("clientMessageId"), "",
            change["kind"], str(change["messageId"]),
        )  # fmt: skip
    return Stored(
        str(document["_id"]), document["roomId"], document["seq"], document["userId"], document.get("clientMessageId"),
        document["message"], change_seq=document.get("changeSeq", 0), is_deleted=document.get("deleted", False),
        reactions={each["emoji"]: each["count"] for each in document.get("reactions", [])},
    )  # fmt: skip
