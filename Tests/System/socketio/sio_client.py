"""python-socketio as a test wants to drive it, with the same words as `support.chat.Chat`."""

import queue
import threading
import time
from typing import Any, Callable

import socketio

from support.deadline import TIMEOUT_SECONDS

TRANSPORTS = {"websocket": ["websocket"], "polling": ["polling"], "upgrade": None}


class SocketIOChat:
    """A stock client. Events stay in `inbox` in the order they came until they are expected."""

    def __init__(self, url: str, transport: str = "upgrade", timeout: float = TIMEOUT_SECONDS, auth: Any = None, **options: Any):
        self.url = url
        self.transport = transport
        self.timeout = timeout
        self.auth = auth
        self.inbox: list[tuple[str, tuple]] = []
        self.connects = 0
        self.on_connect: Callable[["SocketIOChat"], None] | None = None
        self._changed = threading.Condition()
        options.setdefault("reconnection_delay", 0.1)
        options.setdefault("reconnection_delay_max", 0.5)
        self.client = socketio.Client(**options)
        self.client.on("connect", self._connected)
        self.client.on("*", self._received)
        for name in ("disconnect", "connect_error"):
            self.client.on(name, lambda *arguments, name=name: self._received(name, *arguments))

    def connect(self) -> "SocketIOChat":
        self.client.connect(self.url, transports=TRANSPORTS[self.transport], auth=self.auth, wait_timeout=self.timeout)
        return self

    def close(self) -> None:
        self.client.disconnect()

    @property
    def current_transport(self) -> str:
        return self.client.transport()

    def _connected(self) -> None:
        with self._changed:
            self.connects += 1
            self._changed.notify_all()
        if self.on_connect:
            self.on_connect(self)

    def _received(self, event: str, *arguments: Any) -> None:
        with self._changed:
            self.inbox.append((event, arguments))
            self._changed.notify_all()

    # Sending

    def emit(self, event: str, *arguments: Any) -> None:
        self.client.emit(event, arguments[0] if len(arguments) == 1 else tuple(arguments) or None)

    def request(self, event: str, data: Any = None) -> Any:
        answers: queue.Queue = queue.Queue()
        self.client.emit(event, data, callback=lambda *answer: answers.put(answer))
        answer = answers.get(timeout=self.timeout)
        return answer[0] if len(answer) == 1 else answer

    def authenticate(self, user_id: str, username: str | None = None) -> Any:
        self.emit("authenticate", {"userId": user_id, "username": username or user_id})
        return self.expect("authenticated")

    def join(self, room: str, **fields: Any) -> dict[str, Any]:
        self.emit("join_room", {"roomId": room, **fields})
        return {
            "history": self.expect("message_history"),
            "users": self.expect("room_users"),
            "state": self.expect("room_state", lambda state: state["roomId"] == room),
        }

    def send(self, room: str, message: str, **fields: Any) -> Any:
        answer = self.request("send_message", {"roomId": room, "message": message, **fields})
        assert answer["success"] is True, answer
        return answer

    # Receiving

    def wait_for(self, condition: Callable[[], Any], what: str, timeout: float | None = None) -> Any:
        deadline = time.monotonic() + (timeout or self.timeout)
        with self._changed:
            while not (value := condition()):
                if not self._changed.wait(max(0.0, deadline - time.monotonic())) and time.monotonic() >= deadline:
                    raise AssertionError(f"no {what}; inbox: {self.inbox[-20:]}")
            return value

    def expect(
        self, event: str, matching: Callable[[Any], bool] | None = None, timeout: float | None = None
    ) -> Any:
        """The data of the first such event, taken out of the inbox or awaited."""

        def find() -> list[tuple]:
            for index, (name, arguments) in enumerate(self.inbox):
                data = arguments[0] if arguments else None
                if name == event and (matching is None or matching(data)):
                    return [self.inbox.pop(index)[1]]
            return []

        arguments = self.wait_for(find, f"event {event}", timeout)[0]
        return arguments[0] if arguments else None

    def expect_texts(self, texts: list[str], timeout: float | None = None) -> list[Any]:
        """These messages of a room, all of them and in this order."""
        got = [self.expect("new_message", timeout=timeout) for _ in texts]
        assert [message["message"] for message in got] == texts
        return got

    def events(self, event: str) -> list[Any]:
        return [arguments[0] if arguments else None for name, arguments in self.inbox if name == event]
