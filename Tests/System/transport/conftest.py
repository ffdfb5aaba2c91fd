import pytest

from support.certificate import certificate
from support.conformance import EchoServer
from support.shared import room, shared, wire

__all__ = ["certificate", "room", "shared", "wire"]


@pytest.fixture(scope="module")
def echo(tmp_path_factory):
    with (tmp_path_factory.mktemp("echo") / "log").open("wb") as log:
        server = EchoServer(log)
        yield server
        server.stop()
