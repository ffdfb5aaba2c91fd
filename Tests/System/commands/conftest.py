"""Servers for the commands that call one."""

import pytest
from managed import KEY, Managed
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
