"""Fixtures of the system tests. A tool that is missing is a failure: nothing here skips."""

from pathlib import Path
from typing import Callable, Iterator, Mapping

import pytest

from support.chat import Chat
from support.reruns import pytest_runtest_logreport, pytest_sessionfinish
from support.server import Server

__all__ = ["pytest_runtest_logreport", "pytest_sessionfinish"]

MakeServer = Callable[..., Server]
MakeChat = Callable[..., Chat]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """Puts the servers' logs beside the failure of a test that used one."""
    report = yield
    if report.failed and call.when == "call":
        for server in item.stash.get(_servers, []):
            report.sections.append((f"log of the server on port {server.port}", server.log_tail()))
    return report


_servers: pytest.StashKey[list[Server]] = pytest.StashKey()


@pytest.fixture
def make_server(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[MakeServer]:
    """Makes servers: `make_server({"MAX_CONNECTIONS_PER_USER": "2"})`; each has a port and a data directory of its own."""
    servers: list[Server] = []
    request.node.stash[_servers] = servers

    def make(env: Mapping[str, str] | None = None, *, start: bool = True, **options) -> Server:
        server = Server(tmp_path / f"server-{len(servers) + 1}", env, **options)
        servers.append(server)
        return server.start() if start else server

    yield make
    failures = []
    for server in servers:
        try:
            server.stop()
        except AssertionError as failure:
            failures.append(str(failure))
    assert not failures, "\n".join(failures)


@pytest.fixture
def server(make_server: MakeServer) -> Server:
    """A server with the embedded store, in trusted mode."""
    return make_server()


@pytest.fixture
def make_chat() -> Iterator[MakeChat]:
    """Connects clients and closes them afterwards: `make_chat(server, "alice")` is authenticated, without a user it is not."""
    chats: list[Chat] = []

    def make(server: Server, user_id: str | None = None, username: str | None = None, **options) -> Chat:
        chat = Chat(server.ws_url, **options)
        chats.append(chat)
        if user_id is not None:
            chat.authenticate(user_id, username)
        return chat

    yield make
    for chat in chats:
        chat.close()
