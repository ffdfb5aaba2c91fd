"""The conformance server, the shared chat server of a module, and what they are put to."""

from typing import Iterator

import pytest

from support.browser import chromium
from support.certificate import certificate
from support.conformance import EchoServer
from support.fleet import make_fleet
from support.shared import room, shared, wire

__all__ = ["certificate", "chromium", "make_fleet", "room", "shared", "wire"]


@pytest.fixture(scope="session")
def conformance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a conformance server: heartbeats after 300 ms, 200 ms for an answer."""
    with (tmp_path_factory.mktemp("conformance") / "log").open("wb") as log:
        server = EchoServer(log)
        yield server.port
        server.stop()
