"""The conformance server, the shared chat server of a module, and what they are put to."""

from typing import Iterator

import pytest

from support.browser import chromium
from support.certificate import certificate
from support.conformance import EchoServer
from support.fleet import make_fleet
from support.shared import room, shared, wire

__all__ = ["certificate", "chromium", "make_fleet", "room", "shared", "wire"]


def conformance_server(tmp_path_factory: pytest.TempPathFactory, *milliseconds: int) -> Iterator[int]:
    with (tmp_path_factory.mktemp("conformance") / "log").open("wb") as log:
        server = EchoServer(log, *milliseconds)
        yield server.port
        server.stop()


@pytest.fixture(scope="session")
def conformance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a conformance server with the times of the standard."""
    yield from conformance_server(tmp_path_factory)


@pytest.fixture(scope="session")
def pinging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of one that asks for signs of life often, and waits for them as long as a busy machine may take."""
    yield from conformance_server(tmp_path_factory, 300, 60_000, 45_000)


@pytest.fixture(scope="session")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of one that ends what is silent, for clients that are silent on purpose."""
    yield from conformance_server(tmp_path_factory, 300, 200, 1000)
