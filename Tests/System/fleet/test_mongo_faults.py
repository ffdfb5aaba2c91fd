"""MongoDB's answers are refusals, late, incomplete or lost: nothing is lost or repeated, and no sender is refused too soon."""

import asyncio
import time
from dataclasses import dataclass, field

import pytest

from crowds import check_everywhere
from support.deadline import eventually
from support.mongo_proxy import Command, Fault, MongoProxy, refused
from support.talkers import Talker, talking

# Seconds that the service waits for its store before it refuses a sender.
SENDERS_WAIT = 5.0


@dataclass
class TimedTalker(Talker):
    """Notes how long the service took to refuse."""

    refused_after: list[float] = field(default_factory=list)
    _sent_at: float = 0

    async def _send_next(self, socket) -> None:
        self._sent_at = asyncio.get_running_loop().time()
        await super()._send_next(socket)

    def _take(self, id: str, ack: dict) -> None:
        if not ack["success"]:
            self.refused_after.append(asyncio.get_running_loop().time() - self._sent_at)
        super()._take(id, ack)


@pytest.fixture
def proxied(make_fleet):
    """Makes a fleet with a proxy before its MongoDB; options go into the URI: `fleet, proxy = proxied(socketTimeoutMS=1000)`."""
    proxies: list[MongoProxy] = []

    def make(**options):
        def put_between(port: int) -> str:
            proxies.append(MongoProxy(port))
            return proxies[-1].uri(**options)

        fleet = make_fleet(mongo_through=put_between)
        return fleet, proxies[-1]

    yield make
    for proxy in proxies:
        proxy.close()


def _timed_crowd(fleet, clients: int = 8, rooms: int = 2) -> list[TimedTalker]:
    urls = fleet.urls
    return [TimedTalker([urls[n % 2]], f"user-{n}", f"room-{n // 2 % rooms}", 0.05) for n in range(clients)]


def _check(fleet, talkers) -> None:
    for talker in talkers:
        assert set(talker.refused) <= {"storage_unavailable"}
        assert all(after >= SENDERS_WAIT for after in talker.refused_after), "refused only after the time of senders"
        assert len(talker.closes) == 1, "no client was cut off"
    check_everywhere(fleet, talkers)
    documents = list(fleet.database()["messages"].find({}, {"roomId": 1, "userId": 1, "clientMessageId": 1}))
    assert len({(each["roomId"], each["userId"], each["clientMessageId"]) for each in documents}) == len(documents)


def _stores_messages(command: Command) -> bool:
    return command.name == "insert" and command.collection == "messages"


def _reads_messages(command: Command) -> bool:
    return command.name == "find" and command.collection == "messages"


MAJORITY_AWAY = {"writeConcernError": {"code": 64, "codeName": "WriteConcernFailed", "errmsg": "waiting for replication timed out"}}

FAULTS = {
    "not the primary": Fault(_stores_messages, refusal=refused(10107, "NotWritablePrimary"), times=2),
    "a primary that stepped down": Fault(_stores_messages, refusal=refused(189, "PrimarySteppedDown"), times=2),
    "a server that shuts down": Fault(_stores_messages, refusal=refused(11600, "InterruptedAtShutdown"), times=2),
    "a shard without a primary": Fault(_stores_messages, refusal=refused(133, "FailedToSatisfyReadPreference"), times=2),
    "an answer that is lost": Fault(_stores_messages, part=0, times=2),
    "an answer that is cut": Fault(_stores_messages, part=0.5, times=2),
    "an answer that comes too late": Fault(_stores_messages, delay=1.5, times=2),
    "a majority that is away": Fault(_stores_messages, amendment=MAJORITY_AWAY, times=2),
    "a read that is lost": Fault(_reads_messages, part=0, times=2),
}


def test_writes_under_load(proxied):
    fleet, proxy = proxied(socketTimeoutMS=1000)
    talkers = _timed_crowd(fleet)

    async def through() -> None:
        async with talking(talkers) as talk:
            await talk.progress(2, seconds=60)
            for name, fault in FAULTS.items():
                proxy.arm(fault)
                if fault.matches is _reads_messages:
                    await asyncio.gather(*(asyncio.to_thread(_read, server) for server in fleet.servers * 3))
                await talk.until(lambda: fault.hits == fault.times, f"the service meets {name}", 60)
                await talk.progress(1, seconds=60)

    asyncio.run(through())
    _check(fleet, talkers)


def _read(server) -> None:
    assert server.get("/api/chat/room-0/history?after=0&limit=100").status_code == 200


def test_what_may_be_repeated_is_repeated(proxied, make_chat):
    """A join that makes a participant, a read mark, and the reads of a join and of a page."""
    fleet, proxy = proxied()
    alice = make_chat(fleet.servers[0], "alice")
    alice.join("r")
    for number in range(1, 4):
        alice.send("r", f"message {number}")
    for number, fault in enumerate(
        [
            {"refusal": refused(10107, "NotWritablePrimary")},
            {"refusal": refused(11602, "InterruptedDueToReplStateChange")},
            {"part": 0},
            {"part": 0.5},
            {"amendment": MAJORITY_AWAY},
        ]
    ):
        records = proxy.arm(Fault(_records_participants, **fault))
        joining = make_chat(fleet.servers[1], f"user-{number}")
        joining.join("r")
        assert records.hits == 1
        marks = proxy.arm(Fault(lambda command: command.name == "update" and command.collection == "chatReadMarks", **fault))
        joining.ask("mark_read", {"roomId": "r", "seq": 2})
        assert marks.hits == 1
        read = alice.expect("message_read", lambda read: read["userId"] == joining.user_id)
        assert read["seq"] == 2, "others are told, although the first answer did not say that the mark moved"
        if "amendment" in fault:
            continue
        fleet.keys().delete("chat:history:r")  # so that the store is read
        page = proxy.arm(Fault(_reads_messages, **fault))
        answer = fleet.servers[0].get("/api/chat/r/history?before=3")
        assert (answer.status_code, page.hits) == (200, 1)
        assert [message["seq"] for message in answer.json()["messages"]] == [1, 2]
    participants = fleet.database()["rooms"].find_one({"roomId": "r"})["participants"]
    assert sorted(participants) == ["alice", *(f"user-{number}" for number in range(5))]


def _records_participants(command: Command) -> bool:
    return command.name == "update" and command.collection == "rooms" and "$addToSet" in command.document["updates"][0]["u"]


@pytest.mark.parametrize("is_repeated", [False, True])
def test_a_removal_whose_answer_is_lost_holds_everywhere(proxied, make_chat, is_repeated):
    fleet, proxy = proxied()
    one, two = fleet.servers
    alice = {"X-User-Id": "alice"}
    room = {"roomId": "closed", "private": True, "participants": ["bob"]}
    assert one.post("/api/rooms", headers=alice, json=room).status_code == 201
    bob = make_chat(two, "bob")
    bob.join("closed")
    lost = proxy.arm(Fault(_removes_participants, part=0))
    answer = one.delete("/api/rooms/closed/participants/bob", headers=alice)
    assert (answer.status_code, lost.hits) == (503, 1)
    if is_repeated:
        # The answer says what was found, and then the removal is in force on every instance.
        assert one.delete("/api/rooms/closed/participants/bob", headers=alice).status_code == 404
        assert bob.request("send_message", {"roomId": "closed", "message": "still here?"})["success"] is False
    else:
        send = lambda: bob.request("send_message", {"roomId": "closed", "message": "still here?"})  # noqa: E731
        eventually(lambda: send()["success"] is False, "bob is out")


def _removes_participants(command: Command) -> bool:
    return command.name == "update" and command.collection == "rooms" and "$pull" in command.document["updates"][0]["u"]


def test_a_short_step_down_is_not_noticed(proxied, make_chat):
    # The driver gives up after a fifth of the time that senders wait, so that a step-down takes longer than it waits.
    fleet, proxy = proxied(serverSelectionTimeoutMS=500)
    talkers = _timed_crowd(fleet)
    watcher = make_chat(fleet.servers[0], "watcher")

    async def through() -> None:
        async with talking(talkers) as talk:
            for _ in range(2):
                await talk.progress(2, seconds=60)
                fleet.mongo.client().admin.command({"replSetStepDown": 2, "force": True})
                joined, page = await asyncio.gather(
                    asyncio.to_thread(watcher.join, "room-1"),
                    asyncio.to_thread(fleet.servers[1].get, "/api/chat/room-1/history?before=2"),
                )
                assert joined["history"] and page.status_code == 200
                watcher.ask("leave_room", {"roomId": "room-1"})
            await talk.progress(2, seconds=60)

    asyncio.run(through())
    _check(fleet, talkers)


def test_a_dead_server_refuses_senders_after_their_time(proxied, make_chat):
    fleet, _ = proxied()
    server = fleet.servers[0]
    alice = make_chat(server, "alice")
    rooms = [f"r-{number}" for number in range(20)]
    for room in rooms:
        alice.join(room)
        alice.send(room, "before", clientMessageId="before")
    fleet.mongo.kill()
    eventually(lambda: server.get("/ready").status_code == 503, "the outage shows")
    for _ in range(2):
        start = time.monotonic()
        requests = [
            alice.emit_with_id("send_message", {"roomId": room, "message": "refused", "clientMessageId": "after"})
            for room in rooms
        ]
        for request in requests:
            error = alice.reply(request)["error"]
            assert time.monotonic() - start >= SENDERS_WAIT
            assert (error["code"], error["retryable"]) == ("storage_unavailable", True)
    fleet.mongo.start()
    for room in rooms:
        sent = eventually(lambda r=room: _try(alice, r), "taken again")
        assert sent["seq"] == 2


def _try(chat, room: str):
    reply = chat.request("send_message", {"roomId": room, "message": "refused", "clientMessageId": "after"})
    return reply if reply["success"] else None
