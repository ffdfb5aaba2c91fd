"""The SDKs against real servers: in Node, in Chromium, in Python."""

import sys
from typing import Callable, Iterator

import pytest
from script_runner import BrowserRunner, NodeRunner, ScriptRunner
from sdk_client import SDKClient

from support.browser import chromium
from support.page import PAGE
from support.server import ROOT, Server

__all__ = ["chromium"]

sys.path.insert(0, str(ROOT / "sdk" / "python"))

NewSDKClient = Callable[..., SDKClient]


@pytest.fixture
def server(make_server) -> Server:
    return make_server(PAGE)


# The page's tests are those of raw framing in Chromium.
@pytest.fixture(params=["node-raw", "node-socketio", "chromium-socketio"])
def setting(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def platform(setting: str) -> str:
    return setting.split("-")[0]


@pytest.fixture
def framing(setting: str) -> str:
    return setting.split("-")[1]


@pytest.fixture
def new_runner(platform: str, request: pytest.FixtureRequest) -> Iterator[Callable[[Server], ScriptRunner]]:
    runners: list[ScriptRunner] = []

    def make(server: Server) -> ScriptRunner:
        browser = request.getfixturevalue("chromium") if platform == "chromium" else None
        runners.append(BrowserRunner(browser, server) if browser else NodeRunner())
        return runners[-1]

    yield make
    for runner in runners:
        runner.close()


@pytest.fixture
def new_client(new_runner, framing: str) -> NewSDKClient:
    """Makes clients: `new_client(server, "ada")`; options are those of `ChatClient`."""

    def make(server: Server, user: str | None = None, url: str | None = None, **options) -> SDKClient:
        identity = {"userId": user, "username": user.capitalize()} if user else {}
        return SDKClient(new_runner(server), url or server.url, framing=framing, **identity, **options)

    return make


@pytest.fixture
def ada(new_client, server):
    """A client of the SDK in the lobby."""
    client = new_client(server, "ada").connect()
    client.join("lobby")
    return client


@pytest.fixture
def ben(make_chat, server):
    """A raw client in the lobby."""
    chat = make_chat(server, "ben", "Ben")
    chat.join("lobby")
    return chat
