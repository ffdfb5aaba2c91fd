"""The conformance server, the shared chat server of a module, and what they are put to."""

import os
import shutil
from typing import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from support.certificate import certificate
from support.conformance import EchoServer
from support.shared import room, shared, wire

__all__ = ["certificate", "room", "shared", "wire"]


@pytest.fixture(scope="session")
def conformance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a conformance server: heartbeats after 300 ms, 200 ms for an answer."""
    with (tmp_path_factory.mktemp("conformance") / "log").open("wb") as log:
        server = EchoServer(log)
        yield server.port
        server.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    executable = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    assert executable, "chromium is not installed"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield browser
        browser.close()
