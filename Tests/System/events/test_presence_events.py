"""Who comes online and goes offline, as a consumer of the presence queue reads it."""

import asyncio
import json

import aio_pika

from support.deadline import eventually


async def read(url: str, queue: str, count: int):
    connection = await aio_pika.connect(url)
    async with connection:
        channel = await connection.channel()
        source = await channel.declare_queue(queue, passive=True)
        found = []
        async with source.iterator(no_ack=True, timeout=20) as messages:
            async for message in messages:
                found.append((message.type, json.loads(message.body), message.message_id))
                if len(found) == count:
                    return found


def test_online_and_offline_come_in_order(broker, make_server, make_chat):
    queue = "presence_events"
    server = make_server(
        {"RABBITMQ_URL": broker.url, "RABBITMQ_QUEUE_PRESENCE": queue, "PRESENCE_GRACE_MS": "200"}
    )
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


def online(server):
    answer = server.get("/api/online-users", headers={"X-User-Id": "observer"}).json()
    return [user["id"] for user in answer["data"]]
