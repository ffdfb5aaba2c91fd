"""One broker for all tests, since it takes a while to start. A test that disturbs it leaves it running as it was."""

from itertools import count
from typing import Iterator

import pytest

from support.broker import RabbitMQ


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    broker = RabbitMQ(tmp_path_factory.mktemp("rabbitmq")).start()
    yield broker
    broker.kill()


_numbers = count(1)


@pytest.fixture
def queue() -> str:
    """The name of a queue that no other test uses."""
    return f"messages-{next(_numbers)}"
