"""Users that come online and go offline, as a consumer of the presence queue reads it."""

import asyncio
import json
import re
import uuid

import aio_pika
import pytest

from support.broker import declared_queue, message_count
from support.deadline import eventually


@pytest.fixture
def queue() -> str:
    return f"presence-{uuid.uuid4().hex[:8]}"


async def read(url: str, queue: str, count: int):
    connection = await aio_pika.connect(url)
    async with connection:
        source = await declared_queue(connection, queue)
        found = []
        async with source.iterator(no_ack=True, timeout=60) as messages:
            async for message in messages:
                found.append((message.type, json.loads(message.body), message.message_id))
                if len(found) == count:
                    return found


def test_online_and_offline_come_in_order(broker, queue, make_server, make_chat):
    server = make_server(settings(broker, queue))
    for _ in range(3):
        alice = make_chat(server, "alice")
        alice.ask("set_status", {"status": "busy"})
        alice.close()
        eventually(lambda: "alice" not in online(server), "alice is offline")
    hidden = make_chat(server, "alice")
    hidden.ask("set_status", {"status": "invisible"})
    events = asyncio.run(read(broker.url, queue, 8))
    assert [kind for kind, _, _ in events] == ["presence.online", "presence.offline"] * 4
    assert len({name for _, _, name in events}) == 8
    body = events[0][1]
    assert body["eventType"] == "presence.online" and body["timestamp"].endswith("Z")
    assert body["data"] == body["data"] | {"userId": "alice", "username": "alice", "status": "online"}


def settings(broker, queue):
    return {"RABBITMQ_URL": broker.url, "RABBITMQ_QUEUE_PRESENCE": queue, "PRESENCE_GRACE_MS": "200"}


def test_edges_during_an_outage_of_the_broker_come_afterwards_in_order(broker, queue, make_server, make_chat):
    server = make_server(settings(broker, queue))
    make_chat(server, "first")
    eventually(lambda: message_count(broker, queue) == 1, "the first is told")
    eventually(lambda: waiting(server) == 0, "the server knows")
    broker.save_queues()
    broker.kill()
    try:
        for _ in range(3):
            make_chat(server, "alice").close()
            eventually(lambda: "alice" not in online(server), "alice is offline")
        assert waiting(server) == 6
    finally:
        broker.start()
    events = [event for event in asyncio.run(read(broker.url, queue, 7)) if event[1]["data"]["userId"] == "alice"]
    assert [kind for kind, _, _ in events] == ["presence.online", "presence.offline"] * 3
    eventually(lambda: waiting(server) == 0, "nothing waits")


def test_a_drained_instance_publishes_the_users_that_go_with_it(broker, queue, make_server, make_chat):
    server = make_server(settings(broker, queue))
    for user in ("alice", "bob"):
        make_chat(server, user)
    eventually(lambda: len(online(server)) == 2, "both are online")
    server.terminate()
    events = asyncio.run(read(broker.url, queue, 4))
    assert {(kind, body["data"]["userId"]) for kind, body, _ in events[2:]} == {
        ("presence.offline", "alice"),
        ("presence.offline", "bob"),
    }


def waiting(server):
    found = re.search(r"^chat_presence_events_waiting (\d+)", server.get("/metrics").text, re.MULTILINE)
    return int(found[1])


def online(server):
    answer = server.get("/api/online-users", headers={"X-User-Id": "observer"}).json()
    return [user["id"] for user in answer["data"]]
