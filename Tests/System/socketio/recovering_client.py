"""What recovers as the JavaScript client does, over a raw WebSocket."""

import json

from engineio_wire import Closed, Socket

PATH = "/socket.io/"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64)"


class Client:
    """A client over a raw WebSocket that keeps `pid` and the last offset, as the JavaScript client does."""

    def __init__(self, port: int, auth: dict | None = None, **headers: str):
        headers.setdefault("User_Agent", BROWSER)
        self.socket = Socket(port, PATH, **headers)
        self.socket.send("40" + (json.dumps(auth) if auth else ""))
        answer = self.next()
        assert answer.startswith("40{"), answer
        self.connected = json.loads(answer[2:])
        self.offset: str | None = None
        self.seen: list[tuple[str, int]] = []
        self.events: list[tuple[str, list]] = []

    @property
    def pid(self) -> str | None:
        return self.connected.get("pid")

    def next(self, timeout: float = 5) -> str:
        while (packet := self.socket.receive(timeout)) == "2":
            self.socket.send("3")
        assert isinstance(packet, str)
        return packet

    def emit(self, event: str, data) -> None:
        self.socket.send("42" + json.dumps([event, data]))

    def take(self) -> tuple[str, list]:
        name, *arguments = json.loads(self.next()[2:])
        if arguments and isinstance(arguments[-1], str):
            self.offset = arguments[-1]
        if name == "new_message":
            self.seen.append((arguments[0]["roomId"], arguments[0]["seq"]))
        self.events.append((name, arguments))
        return name, arguments

    def expect(self, event: str) -> list:
        while True:
            name, arguments = self.take()
            if name == event:
                return arguments

    def enter(self, user: str, *rooms: str) -> "Client":
        self.emit("authenticate", {"userId": user})
        for room in rooms:
            self.emit("join_room", {"roomId": room})
            self.expect("room_state")
        return self

    def read_messages(self, count: int) -> None:
        """Reads until it has seen so many in all."""
        while len(self.seen) < count:
            self.take()

    def settle(self) -> None:
        self.emit("ping", {"mark": 1})
        self.expect("pong")

    def read_to_the_end(self) -> None:
        """Takes what comes until the server closes."""
        try:
            while True:
                self.take()
        except Closed:
            self.socket.wire.socket.close()

    def drop(self) -> None:
        """The network goes away without a closing handshake."""
        self.socket.wire.socket.close()

    def come_back(self, port: int, **auth) -> "Client":
        claim = {"pid": self.pid, **({"offset": self.offset} if self.offset else {}), **auth}
        client = Client(port, claim)
        client.offset = self.offset
        client.seen = self.seen
        return client

    def recovered(self, before: "Client") -> bool:
        """What the JavaScript client takes it for."""
        return self.pid == before.pid
