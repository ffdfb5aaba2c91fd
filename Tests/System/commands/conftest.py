"""Servers for the commands that call one."""

from typing import Iterator

import pytest
from managed import HAS_FLEET_ROUTES, KEY, Managed
from management_stand_in import StandIn
from support.certificate import certificate

__all__ = ["certificate"]


@pytest.fixture
def managed(make_server, make_chat, tmp_path) -> Managed:
    """A real server."""
    server = make_server({"SERVICE_API_KEY": KEY, "AUTH_MODE": "trusted", "INSTANCE_ID": "a"})

    def join(user: str, room: str):
        chat = make_chat(server, user)
        chat.join(room)
        return chat

    return Managed(server.url, "a", tmp_path, join, server)


@pytest.fixture(params=["server" if HAS_FLEET_ROUTES else "stand-in"])
def fleet_routes(request, tmp_path) -> Iterator[Managed]:
    """A server with the routes about sessions, rooms and instances."""
    if request.param == "server":
        yield request.getfixturevalue("managed")
        return
    stand_in = StandIn(KEY)
    yield Managed(stand_in.url, stand_in.instance, tmp_path, stand_in.join)
    stand_in.stop()
