"""A client of chat-service for asyncio: reconnects, resumes, and sends what waits in order."""

from .changes import changed
from .client import ChatClient
from .errors import RequestError
from .outbox import Entry
from .rest import Rest
from .room import Room
from .timeline import Timeline

__all__ = ["ChatClient", "Entry", "RequestError", "Rest", "Room", "Timeline", "changed"]
