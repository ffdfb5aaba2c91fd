"""A room with members, one of whom sends: the traffic that counted tests and measurements count."""

from contextlib import ExitStack

from support.chat import Chat
from support.server import Server

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
        self.server.pause()
        pending = self.emit(count)
        self.server.unpause()
        self.receive(pending)

    def emit(self, count: int) -> list[int]:
        """Sends messages and reads nothing; `receive` takes what comes of them."""
        sender, data = self.members[0], {"roomId": self.room}
        return [sender.emit_with_id("send_message", data | {"message": f"{TEXT} {number}"}) for number in range(count)]

    def receive(self, pending: list[int]) -> None:
        for id in pending:
            assert self.members[0].reply(id)["success"], "not stored"
        self._receive(len(pending))

    def close(self) -> None:
        self._opened.close()

    def _receive(self, count: int) -> None:
        for chat in self.members:
            for _ in range(count):
                chat.expect("new_message")
            chat.inbox.clear()
