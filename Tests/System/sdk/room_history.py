"""A room as the server shows it."""

from typing import Any

import requests

from support.deadline import TIMEOUT_SECONDS
from support.server import Server

Message = dict[str, Any]


def history(server: Server, room: str = "lobby") -> list[Message]:
    """Its newest messages, over a connection of its own: one that idled may end at this moment."""
    with requests.Session() as session:
        session.trust_env = False
        address = f"{server.url}/api/chat/{room}/history?limit=1000"
        return session.get(address, headers={"X-User-Id": "reader"}, timeout=TIMEOUT_SECONDS).json()["messages"]


def texts_of(server: Server, room: str = "lobby") -> list[str]:
    return [message["message"] for message in history(server, room)]


def plain(messages: list[Message]) -> list[Message]:
    """Without what is empty, which a client may have or not."""
    return [{name: value for name, value in message.items() if value not in (None, [], False)} for message in messages]
