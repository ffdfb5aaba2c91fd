"""Servers that believe only tokens."""

import os

import pytest

from minting import SECRET, Keys
from support.server import Server
from support.shared import room, wire

__all__ = ["room", "wire"]

# Read when gRPC is imported. Its handlers of forks abort a child now and then, here a server before its start.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "false"


@pytest.fixture(scope="session")
def keys() -> Keys:
    return Keys()


@pytest.fixture(scope="module")
def shared(keys, tmp_path_factory):
    """Takes tokens of every algorithm: by a shared secret, or by one key of a set."""
    directory = tmp_path_factory.mktemp("tokens")
    environment = {
        "HOST": "127.0.0.1",
        "JWT_SECRET": SECRET,
        "JWT_JWKS_FILE": str(keys.write_jwks(directory / "keys.json")),
        "JWT_ISSUER": "https://issuer.example.com",
        "JWT_AUDIENCE": "chat",
        "LOG_DIR": str(directory / "logs"),
    }
    (directory / "logs").mkdir()
    server = Server(directory / "server", environment).start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def named():
    """The claims about issuer and audience that the shared server asks for."""
    return {"iss": "https://issuer.example.com", "aud": "chat"}
