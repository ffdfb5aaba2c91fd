"""A server that the tests of one module share; a folder's conftest.py takes the fixtures over.

Tests that share it use rooms of their own (`room`), and leave no connection behind (`make_chat`).
"""

import itertools
import re
from typing import Callable, Iterator

import pytest

from support.server import Server
from support.wire import Wire

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The module's server, with what the module's `ENVIRONMENT` says."""
    environment = getattr(request.module, "ENVIRONMENT", {})
    server = Server(tmp_path_factory.mktemp("shared"), environment)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def room(request: pytest.FixtureRequest) -> str:
    """A room id that no other test uses, named after the test."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")
    return f"{name[:90]}-{next(_numbers)}"


@pytest.fixture
def wire(shared: Server) -> Iterator[Callable[..., Wire]]:
    """Opens TCP connections to the shared server and closes them afterwards."""
    wires: list[Wire] = []

    def open(**options) -> Wire:
        wires.append(Wire(shared.port, **options))
        return wires[-1]

    yield open
    for each in wires:
        each.socket.close()
