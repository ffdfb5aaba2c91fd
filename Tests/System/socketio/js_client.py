"""The JavaScript client in Chromium, as a page uses it."""

from typing import Any

from playwright.sync_api import Page

from support.chat import Chat
from support.deadline import TIMEOUT_SECONDS
from support.socketio_client import client_file

class BrowserClient:
    """One `io()` in one page. Events stay in the page's inbox until they are expected."""

    def __init__(self, page: Page, url: str, options: dict[str, Any] | None = None, page_url: str | None = None):
        self.page = page
        # Any page of the server's will do: what matters is its origin.
        page.set_default_timeout(TIMEOUT_SECONDS * 1000)
        page.goto((page_url or url) + "/health")
        page.add_script_tag(path=str(client_file()))
        page.evaluate(
            """([url, options]) => {
              window.inbox = [];
              window.connects = [];
              window.transports = [];
              window.socket = io(url, options);
              // Both exist at once; an upgrade may be over before the namespace is connected.
              transports.push(socket.io.engine.transport.name);
              socket.io.engine.on("upgrade", transport => transports.push(transport.name));
              const note = (name, ...rest) => inbox.push([name, ...rest]);
              socket.onAny(note);
              socket.on("connect", () => connects.push(
                {id: socket.id, recovered: socket.recovered, transport: socket.io.engine.transport.name}));
              socket.on("disconnect", reason => note("disconnect", reason));
              socket.on("connect_error", error => note("connect_error", {message: error.message, data: error.data}));
            }""",
            [url, {"reconnectionDelay": 100, "reconnectionDelayMax": 500, **(options or {})}],
        )

    def wait_connected(self, times: int = 1, timeout: float = TIMEOUT_SECONDS) -> dict[str, Any]:
        self.page.wait_for_function("times => connects.length >= times", arg=times, timeout=timeout * 1000)
        return self.page.evaluate("connects[connects.length - 1]")

    def transport(self) -> str:
        return self.page.evaluate("socket.io.engine.transport.name")

    def wait_transport(self, name: str) -> None:
        self.page.wait_for_function("name => socket.io.engine.transport.name === name", arg=name)

    def emit(self, event: str, *arguments: Any) -> None:
        self.page.evaluate("([event, rest]) => { socket.emit(event, ...rest); }", [event, list(arguments)])

    def request(self, event: str, *arguments: Any) -> Any:
        return self.page.evaluate(
            "([event, rest]) => socket.timeout(60000).emitWithAck(event, ...rest)", [event, list(arguments)]
        )

    def expect(self, event: str, timeout: float = TIMEOUT_SECONDS, **fields: Any) -> Any:
        """The first argument of the first such event, with these fields if any are given; taken out of the inbox."""
        find = """([event, fields]) => inbox.findIndex(([name, data]) =>
            name === event && Object.entries(fields).every(([key, value]) => data && data[key] === value))"""
        self.page.wait_for_function(f"given => ({find})(given) >= 0", arg=[event, fields], timeout=timeout * 1000)
        return self.page.evaluate(f"given => inbox.splice(({find})(given), 1)[0][1] ?? null", [event, fields])

    def events(self, event: str) -> list[Any]:
        return self.page.evaluate("event => inbox.filter(([name]) => name === event).map(([, data]) => data)", event)

    def arguments(self, event: str) -> list[list[Any]]:
        return self.page.evaluate(
            "event => inbox.filter(([name]) => name === event).map(([, ...rest]) => rest)", event
        )

    def break_transport(self) -> None:
        """Ends the connection as a network does: without a closing handshake of either protocol."""
        self.page.evaluate("socket.io.engine.close()")

    # A client that may recover: it never says where it stopped.

    def enter(self, sender: Chat, user: str, room: str) -> dict[str, Any]:
        """Connects, enters a room and sees its first message; how it was connected."""
        self.page.evaluate("() => { window.seen = []; socket.on('new_message', message => seen.push(message.seq)); }")
        first = self.wait_connected()
        assert first["recovered"] is False
        self.emit("authenticate", {"userId": user})
        self.emit("join_room", {"roomId": room})
        self.expect("room_state")
        sender.join(room)
        sender.send(room, "seen")
        self.page.wait_for_function("seen.length === 1")
        return first

    def expect_recovery(self, sender: Chat, room: str, first: dict[str, Any]) -> None:
        """Comes back after a break as the session it was, misses nothing of ten messages, and continues."""
        for number in range(10):
            sender.send(room, f"missed {number}")
        back = self.wait_connected(2)
        assert back["recovered"] is True and back["id"] == first["id"]
        sender.send(room, "live")
        self.page.wait_for_function("seen.length >= 12")
        assert self.page.evaluate("seen") == list(range(1, 13))
        assert self.request("send_message", {"roomId": room, "message": "back"})["success"] is True
