"""A RabbitMQ broker of a test's own, and a consumer as a notification service would write it."""

import asyncio
import logging
import json
import os
import signal
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aio_pika

from support.deadline import eventually
from support.server import ROOT, clean_environment, free_port

# Each attempt on a broker that is not up yet would be written down as an error.
logging.getLogger("aiormq.connection").setLevel(logging.CRITICAL)


class RabbitMQ:
    """A broker on free ports of loopback, which keeps ports and data over restarts. A missing program is a failure."""

    def __init__(self, directory: Path):
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.port = free_port()
        self.tls_port = free_port()
        self.distribution_port = free_port()
        self.authority = directory / "certificate.pem"
        self._make_certificate()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}/"

    def secure_url(self, host: str, **parameters: Any) -> str:
        return f"amqps://guest:guest@{host}:{self.tls_port}/?{urlencode(parameters)}"

    def start(self, timeout: float = 60) -> "RabbitMQ":
        assert self.process is None, "the broker runs already"
        with (self.directory / "output").open("ab") as output:
            self.process = subprocess.Popen(
                [str(ROOT / "scripts" / "rabbitmq"), str(self.directory), str(self.port)],
                env=clean_environment({"RABBITMQ_DIST_PORT": str(self.distribution_port)}),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        eventually(self._answers, "the broker serves", timeout, every=0.2)
        return self

    def kill(self) -> None:
        """SIGKILL: what the broker did not make durable is gone."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def save_queues(self) -> None:
        """Has the declared queues written to the disk. By itself the broker does that within seconds, and a kill before that loses
        the queues with all that they confirmed."""
        self._control("eval", "mnesia:sync_log().")

    def pause(self) -> None:
        os.killpg(self._running().pid, signal.SIGSTOP)

    def unpause(self) -> None:
        os.killpg(self._running().pid, signal.SIGCONT)

    def set_memory_limit(self, fraction: float) -> None:
        """At 0 the broker raises its memory alarm: it reads nothing more from publishers."""
        self._control("set_vm_memory_high_watermark", str(fraction))

    def _control(self, *command: str) -> None:
        subprocess.run(
            ["/usr/lib/rabbitmq/bin/rabbitmqctl", "-n", f"chat-{self.port}@localhost", "-t", "60", *command],
            env=clean_environment({"HOME": str(self.directory), "RABBITMQ_CONF_ENV_FILE": "/dev/null"}),
            check=True,
            capture_output=True,
        )

    def _make_certificate(self) -> None:
        """For `localhost` by name only, and vouching for itself."""
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", "key.pem",
             "-out", self.authority.name],
            cwd=self.directory, check=True, capture_output=True,
        )  # fmt: skip
        settings = {
            "listeners.ssl.1": f"127.0.0.1:{self.tls_port}",
            "ssl_options.certfile": self.authority,
            "ssl_options.keyfile": self.directory / "key.pem",
        }
        lines = [f"{name} = {value}\n" for name, value in settings.items()]
        (self.directory / "rabbitmq.conf").write_text("".join(lines))

    def _running(self) -> subprocess.Popen[bytes]:
        assert self.process is not None, "the broker is not running"
        return self.process

    def _answers(self) -> bool:
        code = self._running().poll()
        assert code is None, f"the broker ended at start with {code}:\n{(self.directory / 'output').read_text()}"

        async def connect() -> bool:
            try:
                connection = await aio_pika.connect(self.url, timeout=5)
            except (OSError, aio_pika.exceptions.AMQPError, asyncio.TimeoutError):
                return False
            await connection.close()
            return True

        return asyncio.run(connect())


@dataclass
class Notifications:
    """Reads a queue to its end, and drops what it has seen before by `message_id`."""

    events: list[dict[str, Any]] = field(default_factory=list)
    messages: list[aio_pika.abc.AbstractIncomingMessage] = field(default_factory=list)
    deliveries: Counter[str] = field(default_factory=Counter)

    def take(self, message: aio_pika.abc.AbstractIncomingMessage) -> None:
        assert message.message_id is not None
        self.deliveries[message.message_id] += 1
        if self.deliveries[message.message_id] == 1:
            self.messages.append(message)
            self.events.append(json.loads(message.body))

    def texts(self) -> list[str]:
        return [event["data"]["message"] for event in self.events]

    async def collect(self, url: str, queue_name: str, until, timeout: float = 120) -> "Notifications":
        """Consumes until `until(self)` holds."""
        connection = await aio_pika.connect(url)
        async with connection:
            async with asyncio.timeout(timeout):
                queue = await declared_queue(connection, queue_name)
                await self._consume(queue, until)
        return self

    async def _consume(self, queue: aio_pika.abc.AbstractQueue, until) -> None:
        async with queue.iterator() as deliveries:
            if until(self):
                return
            async for message in deliveries:
                async with message.process():
                    self.take(message)
                if until(self):
                    return


async def declared_queue(connection: aio_pika.abc.AbstractConnection, name: str) -> aio_pika.abc.AbstractQueue:
    """The queue, once the service has declared it: instances start to serve before they have reached the broker."""
    while True:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=100)
        try:
            return await channel.get_queue(name, ensure=True)
        except aio_pika.exceptions.ChannelNotFoundEntity:
            await asyncio.sleep(0.05)


def collect(broker: RabbitMQ, queue: str, until, timeout: float = 120) -> Notifications:
    return asyncio.run(Notifications().collect(broker.url, queue, until, timeout))


async def _with_channel(url: str, body) -> Any:
    connection = await aio_pika.connect(url)
    async with connection:
        return await body(await connection.channel())


def message_count(broker: RabbitMQ, queue: str) -> int:
    """How many messages wait in the queue for a consumer."""

    async def count() -> int:
        connection = await aio_pika.connect(broker.url)
        async with connection:
            return (await declared_queue(connection, queue)).declaration_result.message_count

    return asyncio.run(count())


def declare(broker: RabbitMQ, queue: str, **options: Any) -> None:
    asyncio.run(_with_channel(broker.url, lambda channel: channel.declare_queue(queue, **options)))


def delete(broker: RabbitMQ, queue: str) -> None:
    asyncio.run(_with_channel(broker.url, lambda channel: channel.queue_delete(queue)))
