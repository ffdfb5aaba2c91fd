"""A service of the operator's that takes webhooks or answers the hook: what it answers is up to the test."""

import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from typing import Any, Callable, Iterator

import pytest

from support.deadline import TIMEOUT_SECONDS, eventually
from support.server import Server
from support.web_server import Answer, Call, WebServer

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
KEY = "a service key of a test"
SERVICE = {"X-Service-Key": KEY}


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


class Receiver(WebServer):
    def __init__(self):
        super().__init__()
        self.requests: list[Request] = []
        self.answer: Callable[[Request], Answer] = lambda _: (200, {}, b"")

    @property
    def url(self) -> str:
        return self.origin + "/events"

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

    def respond(self, call: Call) -> Answer:
        request = Request(call.path, call.fields, call.body, time.monotonic())
        # Taken first: a test that sees the request may change what the next one gets.
        decide = self.answer
        self.requests.append(request)
        return decide(request)


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
