"""One instance numbers a room for all: a busy room is as fast as on one instance, and an owner that dies costs a moment."""

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from crowds import check_everywhere
from support.deadline import eventually
from support.metrics import metric
from support.talkers import Talker, talking, whole_history


def forwards(fleet) -> list[float]:
    return [metric(server, "chat_forwards_total") for server in fleet.servers]


def wait_until_all_know_all(fleet) -> None:
    for server in fleet.servers:
        others = len(fleet.servers) - 1
        eventually(lambda s=server: metric(s, "chat_other_instances") == others, "each knows the others")


def owner(fleet, room: str) -> int:
    """The instance that numbers the room: the one that forwards none of its messages."""

    def unmoved() -> list[int]:
        before = forwards(fleet)
        for number, server in enumerate(fleet.servers):
            answer = server.post(
                f"/api/chat/{room}/messages", json={"message": "who numbers this?"}, headers={"X-User-Id": f"asker-{number}"}
            )
            assert answer.status_code == 201, answer.text
        return [number for number, (now, then) in enumerate(zip(forwards(fleet), before)) if now == then]

    return eventually(lambda: (found := unmoved()) and len(found) == 1 and (found[0] + 1), "one owner") - 1


def talkers_on(fleet, instances: list[int], room: str, count: int, pause: float = 0) -> list[Talker]:
    """Clients that stay on their instance."""
    urls = fleet.urls
    return [Talker([urls[n]], f"user-{n}-{c}", room, pause) for n in instances for c in range(count)]


def test_a_busy_room_is_refused_nothing(make_fleet):
    fleet = make_fleet({"RATE_LIMIT_MESSAGES": "0"}, instances=3)
    wait_until_all_know_all(fleet)
    talkers = talkers_on(fleet, [0, 1, 2], "busy", 4)

    async def through() -> None:
        async with talking(talkers) as talk:
            await talk.progress(20)

    asyncio.run(through())
    assert not any(talker.refused for talker in talkers)
    check_everywhere(fleet, talkers)
    assert sum(amount > 0 for amount in forwards(fleet)) == 2, "two forward to the third"


def test_without_redis_a_lost_race_is_no_refusal(make_fleet):
    """Each instance numbers for itself, and the senders of both race for every number."""
    fleet = make_fleet({"REDIS_URL": "", "RATE_LIMIT_MESSAGES": "0"})
    refused: list[str] = []

    def talk(number: int) -> None:
        server, headers = fleet.servers[number % 2], {"X-User-Id": f"user-{number}"}
        for text in range(15):
            answer = requests.post(
                f"{server.url}/api/chat/r/messages", json={"message": f"{number}: {text}"}, headers=headers, timeout=60
            )
            if answer.status_code != 201:
                refused.append(answer.text)

    made = fleet.servers[0].post("/api/rooms", json={"roomId": "r", "type": "group"}, headers={"X-User-Id": "user-0"})
    assert made.status_code == 201, made.text
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(talk, range(10)))
    assert refused == []
    history = whole_history(fleet.servers[1], "r")
    assert [message["seq"] for message in history] == list(range(1, 151))
    for number in range(10):
        mine = [message["message"] for message in history if message["userId"] == f"user-{number}"]
        assert mine == [f"{number}: {text}" for text in range(15)], "in the order they were sent"


@pytest.mark.parametrize("fault", ["killed", "paused"])
def test_an_owner_that_falls_silent_costs_a_moment(make_fleet, make_chat, fault):
    fleet = make_fleet(instances=3)
    wait_until_all_know_all(fleet)
    make_chat(fleet.servers[0], "founder").join("r")
    number = owner(fleet, "r")
    silent = fleet.servers[number]
    others = [index for index in range(3) if index != number]
    talkers = talkers_on(fleet, others, "r", 3, pause=0.05)
    waits: list[float] = []

    async def through() -> None:
        async with talking(talkers) as talk:
            await talk.progress(3)
            await asyncio.to_thread(silent.kill if fault == "killed" else silent.pause)
            since = time.monotonic()
            await talk.progress(3)
            waits.append(time.monotonic() - since)
            # Past the end of its lease.
            await talk.until(lambda: time.monotonic() - since > 12, "the lease has ended")
            await talk.progress(3)
            if fault == "killed":
                silent.start(wait=False)
                await asyncio.to_thread(silent.wait_until_healthy)
            else:
                silent.unpause()
            await talk.progress(3)

    asyncio.run(through())
    print(f"accepted again after {waits[0]:.2f} s")
    assert not any(talker.refused for talker in talkers), "nothing is refused meanwhile"
    for server in fleet.servers:
        history = whole_history(server, "r")
        asked = [message for message in history if message["userId"].startswith("asker")]
        seqs = [message["seq"] for message in history]
        assert seqs == list(range(1, len(history) + 1))
        ids = [message["clientMessageId"] for message in history if message not in asked]
        assert len(ids) == len(set(ids)), "each is stored once"
        for talker in talkers:
            mine = [message["clientMessageId"] for message in history if message["userId"] == talker.user]
            assert mine == [f"{talker.user}-{n + 1}" for n in range(talker.sent)], "in the order they were sent"
            assert [m["seq"] for m in talker.seen] == seqs[: len(talker.seen)], "seen once, in order"


def test_foreign_forwards_hurt_nobody(make_fleet, make_chat):
    fleet = make_fleet()
    wait_until_all_know_all(fleet)
    alice = make_chat(fleet.servers[0], "alice")
    alice.join("r")
    alice.send("r", "first")
    keys = fleet.keys()
    draft = {
        "messageId": "0123456789abcdef01234567",
        "userId": "ghost",
        "username": "Ghost",
        "message": "from an instance without a lease",
        "messageType": "text",
        "timestamp": 1,
    }
    write = {"lastSeq": 0, "participants": [], "readMarks": [], "messages": [draft], "traces": [None]}
    bad = [
        "", "{", "[]", "null", json.dumps({**write, "lastSeq": 2**63 - 1}), json.dumps({**write, "lastSeq": -1}),
        json.dumps({**write, "lastSeq": 1e300}), json.dumps({**write, "messages": [{**draft, "messageId": "short"}]}),
        json.dumps({**write, "messages": [draft] * 3}), json.dumps({**write, "participants": ["x\0y"]}),
    ]
    channels = [name.decode() if isinstance(name, bytes) else name for name in keys.pubsub_channels("chat-service:instance*")]
    inboxes = [name for name in channels if name.endswith(":inbox")]
    assert len(inboxes) == 2, channels

    def publish(kind: str, ticket, data: str, sender: str = "ghost", shard=0) -> None:
        payload = {"kind": kind, "roomId": "r", "ticket": ticket, "from": sender, "shard": shard, "data": data}
        for inbox in inboxes:
            keys.publish(inbox, f"{sender}\0{json.dumps(payload)}")

    for number, data in enumerate(bad):
        for kind in ("forward", "outcome"):
            publish(kind, number, data)
            publish(kind, 2**63 - 1 - number, data, sender="instance-1")
    for ticket in (-1, 1.5, 2**63, "x", None):
        publish("forward", ticket, json.dumps(write))
        publish("forward", 1, json.dumps(write), shard=ticket)
    for ticket in range(1000):
        # The same message a thousand times, as a sender that repeats itself without end has it.
        publish("forward", 10_000 + ticket, json.dumps(write))
    assert alice.send("r", "still here")["success"]
    for server in fleet.servers:
        eventually(lambda s=server: server.get("/health").status_code == 200, "it serves")

        def stored() -> list[str]:
            return [message["message"] for message in whole_history(server, "r")]

        eventually(lambda: sorted(stored()) == sorted(["first", "still here", draft["message"]]), "each once")
        numbers = [message["seq"] for message in whole_history(server, "r")]
        assert numbers == [1, 2, 3]
    assert sum(metric(server, "chat_bus_rejected_total") for server in fleet.servers) > 0, "they are counted"
