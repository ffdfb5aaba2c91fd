"""A room with members, one of whom sends: the traffic that counted tests and measurements count."""

from contextlib import ExitStack
from typing import Callable

from support.chat import Chat
from support.server import Server
from support.wire import event

# Ids that the clients do not reach by themselves.
PREPARED = 1_000_000
TEXT = "So much is said in an ordinary message of about a hundred characters, which is what most people write."


class Exchange:
    """Members of a room on one server. Each method returns when every member has every message."""

    def __init__(self, server: Server, room: str, members: int):
        self.server, self.room = server, room
        self._opened = ExitStack()
        self.members = [self._opened.enter_context(Chat(server.ws_url)) for _ in range(members)]
        for number, chat in enumerate(self.members):
            chat.authenticate(f"{room}-{number}")
            chat.join(room)
        # The last of the joins' announcements is behind it.
        self.one_by_one(1)

    def __enter__(self) -> "Exchange":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def one_by_one(self, count: int) -> None:
        """A message is sent when every member has the one before."""
        for number in range(count):
            self.members[0].send(self.room, f"{TEXT} {number}")
            self._receive(1)

    def in_one_turn(self, count: int) -> None:
        """The server is paused while messages are sent, so it reads them at once, or in a few pieces."""
        emit = self.prepare(count)
        self.server.pause()
        pending = emit()
        self.server.unpause()
        self.receive(pending)

    def prepare(self, count: int) -> Callable[[], list[int]]:
        """Makes messages whose sending is one call. What that returns is for `receive`."""
        pending = [PREPARED + number for number in range(count)]
        data = {"roomId": self.room}
        frames = b"".join(event("send_message", data | {"message": f"{TEXT} {id}"}, id) for id in pending)

        def emit() -> list[int]:
            self.members[0].socket.socket.sendall(frames)
            return pending

        return emit

    def receive(self, pending: list[int]) -> None:
        for id in pending:
            reply = self.members[0].reply(id)
            assert reply["success"], reply
        self._receive(len(pending))

    def close(self) -> None:
        self._opened.close()

    def _receive(self, count: int) -> None:
        for chat in self.members:
            for _ in range(count):
                chat.expect("new_message")
            chat.inbox.clear()
