"""A service of the operator's that takes webhooks or answers the hook: what it answers is up to the test."""

import base64
import hashlib
import hmac
import json
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable, Iterator

import pytest

from support.deadline import TIMEOUT_SECONDS, eventually
from support.server import Server, free_port

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
KEY = "a service key of a test"
SERVICE = {"X-Service-Key": KEY}

Answer = tuple[int, dict[str, str], bytes]


def signature(secret: str, id: str, timestamp: str, body: bytes) -> str:
    """By the text of Standard Webhooks, and not by the service's code."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    code = hmac.new(key, f"{id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(code).decode()


@dataclass(frozen=True)
class Request:
    path: str
    fields: dict[str, str]
    body: bytes
    at: float

    @property
    def event(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def type(self) -> str:
        return self.event["type"]

    @property
    def data(self) -> dict[str, Any]:
        return self.event["data"]

    @property
    def id(self) -> str:
        return self.fields["webhook-id"]

    def check(self, secret: str = SECRET) -> None:
        assert self.fields["content-type"] == "application/json"
        assert abs(int(self.fields["webhook-timestamp"]) - time.time()) < 300
        given = self.fields["webhook-signature"].split(" ")
        assert signature(secret, self.id, self.fields["webhook-timestamp"], self.body) in given


class Receiver:
    """It keeps its port over stops and starts."""

    def __init__(self):
        self.port = free_port()
        self.requests: list[Request] = []
        self.answer: Callable[[Request], Answer] = lambda _: (200, {}, b"")
        self.released = threading.Event()
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/events"

    def answers(self, status: int, body: bytes = b"", **fields: str) -> None:
        named = {name.replace("_", "-"): value for name, value in fields.items()}
        self.answer = lambda _: (status, named, body)

    def hangs(self) -> None:
        """No request is answered until `released` is set."""

        def wait(_: Request) -> Answer:
            self.released.wait(2 * TIMEOUT_SECONDS)
            return 200, {}, b""

        self.answer = wait

    def of_type(self, type: str) -> list[Request]:
        return [request for request in list(self.requests) if request.type == type]

    def texts(self) -> list[str]:
        return [request.data["message"] for request in self.of_type("message.sent")]

    def wait_for(self, type: str, count: int = 1) -> list[Request]:
        return eventually(lambda: (found := self.of_type(type))[count - 1 :] and found, f"{count} of {type}")

    def wait_for_text(self, *texts: str) -> None:
        eventually(lambda: set(texts) <= set(self.texts()), f"the messages {texts}")

    def start(self) -> "Receiver":
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                fields = {name.lower(): value for name, value in self.headers.items()}
                request = Request(self.path, fields, body, time.monotonic())
                # Taken first: a test that sees the request may change what the next one gets.
                decide = receiver.answer
                receiver.requests.append(request)
                status, answer_fields, answer = decide(request)
                try:
                    self.send_response(status)
                    for name, value in answer_fields.items():
                        self.send_header(name, value)
                    if status != 204:
                        self.send_header("Content-Length", str(len(answer)))
                    self.end_headers()
                    self.wfile.write(answer)
                except OSError:
                    pass

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_):
                pass

        self._server = Server(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def stop(self) -> None:
        self.released.set()
        if self._server:
            self._server.shutdown()
            self._server.server_close()
        self._server = None


@pytest.fixture
def make_receiver() -> Iterator[Callable[[], Receiver]]:
    receivers: list[Receiver] = []

    def make() -> Receiver:
        receivers.append(Receiver().start())
        return receivers[-1]

    yield make
    for receiver in receivers:
        receiver.stop()


@pytest.fixture
def receiver(make_receiver) -> Receiver:
    return make_receiver()


@pytest.fixture
def make_sender(make_server) -> Callable[..., Server]:
    """Makes servers that send to these receivers."""

    def make(*receivers: Receiver, **env: str) -> Server:
        urls = {"WEBHOOK_URL": ",".join(receiver.url for receiver in receivers)} if receivers else {}
        retries = ",".join(["1s"] * 15)
        return make_server(urls | {"WEBHOOK_SECRET": SECRET, "SERVICE_API_KEY": KEY, "WEBHOOK_RETRIES": retries} | env)

    return make
