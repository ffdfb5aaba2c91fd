"""One `ChatClient` of the JavaScript SDK, as a test drives it."""

from typing import Any

from script_runner import ScriptRunner

from support.deadline import TIMEOUT_SECONDS, eventually

# A WebSocket that loses what the test says, and that the test can break; and what the client reported.
SETUP = """async ([options, tokens]) => {
  const lossy = class {
    constructor(url) {
      const socket = new WebSocketHere(url);
      globalThis.socket = socket;
      socket.onopen = (event) => this.onopen?.(event);
      socket.onclose = (event) => this.onclose?.(event);
      socket.onmessage = (event) => {
        frames.push(event.data);
        if (!losing.some((part) => event.data.includes(part))) this.onmessage?.(event);
      };
      this.socket = socket;
    }
    get readyState() { return this.socket.readyState; }
    send(text) { this.socket.send(text); }
    close(code) { this.socket.close(code); }
  };
  globalThis.losing = [];
  globalThis.frames = [];
  globalThis.stored ??= new Map();
  globalThis.report = { messages: [], sent: [], refused: [], sessions: [], states: [], resyncs: [], direct: [], changes: [], expiring: 0 };
  const storage = {
    getItem: (key) => stored.get(key) ?? null,
    setItem: (key, value) => stored.set(key, value),
    removeItem: (key) => stored.delete(key),
  };
  if (tokens) {
    globalThis.tokens = [...tokens];
    options.getToken = async () => globalThis.tokens.shift();
  }
  globalThis.chat = new sdk.ChatClient({ ...options, WebSocket: lossy, storage });
  chat.on('message', ({ room, message }) => report.messages.push([room.id, message.seq, message.message]));
  chat.on('change', ({ change }) => report.changes.push([change.seq, change.kind]));
  chat.on('sent', ({ content }) => report.sent.push(content.message));
  chat.on('refused', ({ content, error }) => report.refused.push([content.message, error.code]));
  chat.on('session', ({ isRecovered }) => report.sessions.push(isRecovered));
  chat.on('state', ({ name }) => report.states.push(name));
  chat.on('resync', ({ id }) => report.resyncs.push(id));
  chat.on('direct', (data) => report.direct.push(data.message));
  chat.on('expiring', () => report.expiring += 1);
}"""


class SDKClient:
    def __init__(self, runner: ScriptRunner, url: str, tokens: list[str] | None = None, **options: Any):
        self.runner = runner
        self.run = runner.evaluate
        self.run(SETUP, [{"url": url, **options}, tokens])

    def connect(self) -> "SDKClient":
        self.run("async () => { await chat.connect(); }")
        return self

    def join(self, room: str) -> None:
        self.run("async (room) => { await chat.join(room); }", room)

    def send(self, room: str, text: str, **fields: Any) -> None:
        assert self.run("([room, content]) => chat.send(room, content) !== null", [room, {"message": text, **fields}])

    def break_connection(self) -> None:
        """The WebSocket ends without a word of the client."""
        self.run("() => { socket.close(); }")

    def report(self, name: str) -> Any:
        return self.run("(name) => report[name]", name)

    def texts(self, room: str) -> list[str]:
        """What was shown, in the order in which it came."""
        return [text for roomId, _, text in self.report("messages") if roomId == room]

    def shown(self, room: str) -> list[dict[str, Any]]:
        """The room's messages as the client has them now."""
        return self.run("(room) => chat.room(room).messages", room)

    def pending(self, room: str) -> list[dict[str, Any]]:
        return self.run("(room) => chat.pending(room)", room)

    def wait(self, condition: str, argument: Any = None, timeout: float = TIMEOUT_SECONDS) -> None:
        """Until the function of JavaScript gives a true value."""
        eventually(lambda: self.run(condition, argument), condition, timeout, every=0.05)

    def wait_online(self, sessions: int = 1) -> None:
        self.wait("(sessions) => chat.isOnline && report.sessions.length >= sessions", sessions)

    def wait_offline(self) -> None:
        self.wait("() => !chat.isOnline")
