"""A client of the raw WebSocket protocol, in either framing, as a test wants to drive it."""

import itertools
import json
import ssl
import time
from contextlib import ExitStack
from typing import Any, Callable, Mapping

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from support.deadline import TIMEOUT_SECONDS

Predicate = Callable[[Any], bool]


class Refused(Exception):
    """A reply that says `success: false`."""

    def __init__(self, reply: Mapping[str, Any]):
        super().__init__(str(reply.get("error")))
        self.reply = reply
        self.error: Mapping[str, Any] = reply.get("error") or {}

    @property
    def code(self) -> str | None:
        return self.error.get("code")


class Chat:
    """One connection. Events that were read while waiting for another stay in `inbox`, in the order they came."""

    def __init__(
        self,
        ws_url: str,
        path: str = "/",
        framing: str = "event",
        timeout: float = TIMEOUT_SECONDS,
        **options: Any,
    ):
        assert framing in ("event", "type")
        self.framing = framing
        self.timeout = timeout
        self.inbox: list[tuple[str, Any]] = []
        self.user_id: str | None = None
        self._ids = itertools.count(1)
        self._replies: dict[int, Any] = {}
        if ws_url.startswith("wss:"):
            options.setdefault("ssl", _trusting_anybody())
        options.setdefault("max_size", 2**24)
        self._opened = ExitStack()
        self.socket: ClientConnection = self._opened.enter_context(
            connect(ws_url + path, proxy=None, open_timeout=TIMEOUT_SECONDS, close_timeout=5, **options)
        )

    def __enter__(self) -> "Chat":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self, code: int = 1000) -> None:
        self.socket.close(code)
        self._opened.close()

    def abort(self) -> None:
        """Goes away without a closing handshake, as a phone in a tunnel does."""
        self.socket.socket.close()

    # Sending

    def emit(self, event: str, data: Any = None, id: int | None = None) -> None:
        """Sends an event and waits for nothing."""
        if self.framing == "event":
            frame = {"event": event} | ({} if data is None else {"data": data})
        else:
            frame = {"type": event} | (data or {})
        if id is not None:
            frame["id"] = id
        self.send_text(json.dumps(frame))

    def send_text(self, text: str | bytes) -> None:
        """Sends a frame as it is."""
        self.socket.send(text)

    def request(self, event: str, data: Any = None, timeout: float | None = None) -> Any:
        """Sends an event with an id and gives the reply, whatever it says."""
        id = next(self._ids)
        self.emit(event, data, id)
        return self.reply(id, timeout)

    def ask(self, event: str, data: Any = None, timeout: float | None = None) -> Any:
        """Like `request`, but a refusal is raised."""
        reply = self.request(event, data, timeout)
        if isinstance(reply, dict) and reply.get("success") is False:
            raise Refused(reply)
        return reply

    def emit_with_id(self, event: str, data: Any = None) -> int:
        """Sends an event with an id, which `reply` takes later."""
        id = next(self._ids)
        self.emit(event, data, id)
        return id

    # The protocol's common steps

    def authenticate(self, user_id: str, username: str | None = None) -> Any:
        """By claim, in trusted mode."""
        self.ask("authenticate", {"userId": user_id, "username": username or user_id})
        self.user_id = user_id
        return self.expect("authenticated")

    def authenticate_with(self, token: str) -> Any:
        self.ask("authenticate", {"token": token})
        answer = self.expect("authenticated")
        self.user_id = answer["userId"]
        return answer

    def join(self, room_id: str, since: int | None = None, limit: int | None = None) -> dict[str, Any]:
        """Joins, and gives what came with it: `history`, `users`, `state`."""
        data: dict[str, Any] = {"roomId": room_id}
        if since is not None:
            data["since"] = since
        if limit is not None:
            data["limit"] = limit
        self.ask("join_room", data)
        history = self.expect("message_history")
        users = self.expect("room_users")
        state = self.expect("room_state", lambda state: state["roomId"] == room_id)
        if self.framing == "type":
            history, users = history["messages"], users["users"]
        return {"history": history, "users": users, "state": state}

    def send(self, room_id: str, message: str, timeout: float | None = None, **fields: Any) -> Any:
        """Sends a message and gives its ack; a refusal is raised."""
        return self.ask("send_message", {"roomId": room_id, "message": message, **fields}, timeout)

    def settle(self) -> None:
        """Waits until everything this client sent before has been answered: commands take effect in order."""
        mark = f"settle-{next(self._ids)}"
        self.emit("ping", {"mark": mark})
        self.expect("pong", lambda data: data.get("mark") == mark)

    # Receiving

    def reply(self, id: int, timeout: float | None = None) -> Any:
        self._read_until(lambda: id in self._replies, f"reply {id}", timeout)
        return self._replies.pop(id)

    def expect(self, event: str, matching: Predicate | None = None, timeout: float | None = None) -> Any:
        """The data of the first such event, taken out of the inbox or awaited."""
        found: list[int] = []
        seen = 0

        def is_here() -> bool:
            nonlocal seen
            for index in range(seen, len(self.inbox)):
                name, data = self.inbox[index]
                if name == event and (matching is None or matching(data)):
                    found.append(index)
                    return True
            seen = len(self.inbox)
            return False

        self._read_until(is_here, f"event {event}", timeout)
        return self.inbox.pop(found[0])[1]

    def expect_error(self, code: str, timeout: float | None = None) -> Any:
        return self.expect("error", lambda data: data.get("code") == code, timeout)

    def expect_close(self, code: int, timeout: float | None = None) -> None:
        """Reads on until the server closes, and checks the code it gave."""
        deadline = time.monotonic() + (timeout or self.timeout)
        try:
            while True:
                self._take(deadline)
        except ConnectionClosed as closed:
            given = closed.rcvd.code if closed.rcvd else None
            assert given == code, f"closed with {given}, expected {code}"
        except TimeoutError:
            raise AssertionError(f"not closed with {code}; inbox: {self.inbox}") from None

    def read_for(self, seconds: float) -> None:
        """Reads whatever comes within a span, for tests that show that something does not come."""
        deadline = time.monotonic() + seconds
        try:
            while True:
                self._take(deadline)
        except TimeoutError:
            return

    def events(self, event: str) -> list[Any]:
        """The data of all such events in the inbox, left there."""
        return [data for name, data in self.inbox if name == event]

    def _read_until(self, condition: Callable[[], bool], what: str, timeout: float | None) -> None:
        deadline = time.monotonic() + (timeout or self.timeout)
        while not condition():
            try:
                self._take(deadline)
            except TimeoutError:
                raise AssertionError(f"no {what} for {self.user_id}; inbox: {self.inbox[-20:]}") from None

    def _take(self, deadline: float) -> None:
        text = self.socket.recv(timeout=max(0.0, deadline - time.monotonic()))
        frame = json.loads(text)
        if "event" in frame and "type" not in frame:
            name, data = frame["event"], frame.get("data")
            if name == "ack":
                self._replies[frame["id"]] = data
                return
        else:
            name = frame.pop("type")
            data = frame
            if name == "ack":
                self._replies[frame.pop("id")] = frame
                return
        self.inbox.append((name, data))


def _trusting_anybody() -> ssl.SSLContext:
    """Tests make their own certificates."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
