"""Chromium windows for the page's tests, and a server that hands out this checkout's page."""

import os
import pathlib

import pytest
from chat_page import DESKTOP, SECRET, ChatPage
from playwright.sync_api import expect
from support.browser import chromium
from support.deadline import TIMEOUT_SECONDS
from support.page import PAGE
from support.server import ROOT

__all__ = ["chromium"]

expect.set_options(timeout=TIMEOUT_SECONDS * 1000)


@pytest.fixture(scope="session")
def artifacts() -> pathlib.Path:
    folder = pathlib.Path(os.environ.get("ARTIFACTS", ROOT / "artifacts"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def server(make_server):
    return make_server(PAGE)


@pytest.fixture
def guarded_server(make_server):
    """Accepts only tokens signed with SECRET."""
    return make_server(PAGE | {"JWT_SECRET": SECRET})


@pytest.fixture
def window(chromium, artifacts, request):
    """Opens separate windows, as of separate people; afterwards none may have met a script error."""
    server = request.getfixturevalue("guarded_server" if "guarded_server" in request.fixturenames else "server")
    opened: list[ChatPage] = []

    def open_window(viewport=DESKTOP, server=server, **options) -> ChatPage:
        context = chromium.new_context(viewport=viewport, locale="en-GB", **options)
        context.set_default_timeout(TIMEOUT_SECONDS * 1000)
        opened.append(ChatPage(context.new_page(), server.url))
        return opened[-1]

    yield open_window
    errors = [error for chat in opened for error in chat.errors]
    for number, chat in enumerate(opened, 1):
        chat.page.screenshot(path=artifacts / f"{request.node.name}-{number}.png")
        chat.page.context.close()
    assert errors == []


@pytest.fixture
def pair(window):
    """Ada's window and Ben's, in one room."""
    return window().enter("Ada"), window().enter("Ben")
