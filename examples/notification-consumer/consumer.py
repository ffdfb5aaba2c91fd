"""A service that notifies people of messages they missed, reduced to what every such service needs.

It reads the events that chat-service publishes, drops those it has seen before, and would send a push notification to
each receiver that was not online; here it prints a line instead.

Environment:
    RABBITMQ_URL                where the broker is (amqp://localhost)
    RABBITMQ_QUEUE_NEW_MESSAGE  the queue (new_message)
"""

import asyncio
import json
import logging
import os
import signal
from collections import OrderedDict
from typing import Any

import aio_pika
from aio_pika.abc import AbstractIncomingMessage

log = logging.getLogger("notifications")


class Seen:
    """The latest ids, since events come at least once. A service of more than one process keeps them in a database."""

    def __init__(self, limit: int = 100_000):
        self._limit = limit
        self._ids: OrderedDict[str, None] = OrderedDict()

    def __contains__(self, id: str) -> bool:
        return id in self._ids

    def add(self, id: str) -> None:
        self._ids[id] = None
        if len(self._ids) > self._limit:
            self._ids.popitem(last=False)


async def notify(receiver: str, data: dict[str, Any]) -> None:
    """Where a push notification would be sent."""
    log.info("notify %s: message %s of %s in %s", receiver, data["messageId"], data["senderId"], data["roomId"])


def absent(data: dict[str, Any]) -> list[str]:
    """The receivers without a live session. One event has one receiver, or lists them all."""
    if "receiverId" in data:
        return [] if data.get("receiverOnline") else [data["receiverId"]]
    online = set(data.get("receiversOnline", []))
    return [receiver for receiver in data["receiverIds"] if receiver not in online]


async def handle(message: AbstractIncomingMessage, seen: Seen) -> None:
    if message.message_id in seen:
        return await message.ack()
    try:
        event = json.loads(message.body)
        if event["eventType"] == "message.sent":
            for receiver in absent(event["data"]):
                await notify(receiver, event["data"])
    except (ValueError, KeyError, TypeError) as error:
        # It will not get better by being read again.
        log.error("dropped an event that cannot be understood: %r", error)
        return await message.reject(requeue=False)
    if message.message_id:
        seen.add(message.message_id)
    # Only now: whatever ends this process before, the event comes again.
    await message.ack()


async def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    seen = Seen()
    # Reconnects by itself, and then consumes again.
    connection = await aio_pika.connect_robust(os.environ.get("RABBITMQ_URL", "amqp://localhost"), fail_fast=False)
    async with connection:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=50)
        # Durable and without arguments, as chat-service makes it; the first of the two makes it.
        queue = await channel.declare_queue(os.environ.get("RABBITMQ_QUEUE_NEW_MESSAGE", "new_message"), durable=True)
        await queue.consume(lambda message: handle(message, seen))
        log.info("waiting for events")
        await stopping.wait()


if __name__ == "__main__":
    asyncio.run(main())
