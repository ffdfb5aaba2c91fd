"""Several brokers in RABBITMQ_URL, and the type of the queues that the service declares."""

import asyncio
import json

import aio_pika
import pytest

from events.test_outages import Load, broker_state
from support.broker import RabbitMQ, collect, declare
from support.deadline import eventually


@pytest.fixture(scope="module")
def spare(tmp_path_factory: pytest.TempPathFactory):
    """A second broker, independent of the first."""
    broker = RabbitMQ(tmp_path_factory.mktemp("spare")).start()
    yield broker
    broker.kill()


def url_of(*brokers: RabbitMQ) -> str:
    hosts = ",".join(f"127.0.0.1:{broker.port}" for broker in brokers)
    return f"amqp://guest:guest@{hosts}/"


def take_texts(broker: RabbitMQ, name: str) -> set[str]:
    """Removes what is in the queue now; nothing if there is no such queue."""

    async def take() -> set[str]:
        texts: set[str] = set()
        connection = await aio_pika.connect(broker.url)
        async with connection:
            channel = await connection.channel()
            try:
                queue = await channel.get_queue(name, ensure=True)
            except aio_pika.exceptions.ChannelNotFoundEntity:
                return texts
            while message := await queue.get(fail=False, no_ack=True):
                texts.add(json.loads(message.body)["data"]["message"])
            return texts

    return asyncio.run(take())


def test_fail_over_to_the_next_broker_and_back(make_server, make_chat, broker, spare, queue):
    server = make_server({"RABBITMQ_URL": url_of(broker, spare), "RABBITMQ_QUEUE_NEW_MESSAGE": queue})
    make_chat(server, "receiver").join("den")
    eventually(lambda: broker_state(server) == "up", "a broker is connected")
    seen: set[str] = set()

    def receives_new_events(at: RabbitMQ) -> None:
        """Waits for an event of a message that is sent from now on."""
        sent_before = set(load.sent)

        def has_new_event() -> bool:
            taken = take_texts(at, queue)
            seen.update(taken)
            return bool(taken - sent_before)

        eventually(has_new_event, "a new event is in this broker's queue")

    with Load(server.ws_url, "den", rate=50).running() as load:
        receives_new_events(broker)
        assert not take_texts(spare, queue), "the first host is used while it answers"
        broker.save_queues()
        broker.kill()
        try:
            receives_new_events(spare)
            eventually(lambda: broker_state(server) == "up", "the second broker is connected")
        finally:
            broker.start()
        receives_new_events(spare)
        spare.kill()
        receives_new_events(broker)
        eventually(lambda: broker_state(server) == "up", "the first broker is connected again")
    spare.start()
    sent = set(load.sent)

    def has_all_events() -> bool:
        seen.update(take_texts(broker, queue), take_texts(spare, queue))
        return sent <= seen

    eventually(has_all_events, "each acknowledged message has its event on one of the brokers")


def send_one(make_server, make_chat, broker: RabbitMQ, queue: str, queue_type: str) -> None:
    environment = {
        "RABBITMQ_URL": broker.url, "RABBITMQ_QUEUE_NEW_MESSAGE": queue, "RABBITMQ_QUEUE_TYPE": queue_type,
    }  # fmt: skip
    server = make_server(environment)
    make_chat(server, "receiver").join("den")
    alice = make_chat(server, "alice")
    alice.join("den")
    alice.send("den", "hello")
    eventually(lambda: broker_state(server) == "up", "the broker is connected")
    assert collect(broker, queue, lambda seen: seen.events).texts() == ["hello"]


def test_a_missing_queue_is_declared_with_the_configured_type(make_server, make_chat, broker, queue):
    send_one(make_server, make_chat, broker, queue, "quorum")
    declare(broker, queue, durable=True, arguments={"x-queue-type": "quorum"})
    with pytest.raises(aio_pika.exceptions.ChannelPreconditionFailed):
        declare(broker, queue, durable=True)


def test_an_existing_queue_of_another_type_is_used_as_it_is(make_server, make_chat, broker, queue):
    declare(broker, queue, durable=True)
    send_one(make_server, make_chat, broker, queue, "quorum")
    declare(broker, queue, durable=True)
