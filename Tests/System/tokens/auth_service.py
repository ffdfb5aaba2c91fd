"""An Auth Service of proto/auth.proto, by the gRPC library for Python: what it answers is up to the test.

The messages are written by hand, so that they can be wrong too.
"""

import threading
import time
from concurrent import futures
from typing import Callable

import grpc

METHOD = "ValidateToken"


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def text(number: int, value: str) -> bytes:
    data = value.encode()
    return varint(number << 3 | 2) + varint(len(data)) + data


def answer(user: str = "", username: str = "", roles: tuple[str, ...] = (), expires_in: float | None = None) -> bytes:
    """A ValidateTokenResponse; of no user, one that refuses."""
    out = (b"\x08\x01" + text(2, user)) if user else b""
    if username:
        out += text(3, username)
    for role in roles:
        out += text(4, role)
    if expires_in is not None:
        out += b"\x28" + varint(int(time.time() + expires_in))
    return out


def token_of(request: bytes) -> str:
    """The token of a ValidateTokenRequest."""
    assert request[:1] == b"\x0a", request[:10]
    length = shift = 0
    for place, byte in enumerate(request[1:], start=2):
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    assert len(request) == place + length, "exactly one field"
    return request[place:].decode()


def by_name(token: str) -> bytes:
    """Believes `user:<name>` and nothing else."""
    user = token.removeprefix("user:")
    return answer(user, user.title(), ("member",), 3600) if user != token else answer()


class AuthService:
    """Keeps its port over stops and starts."""

    def __init__(self, port: int, service: str = "auth.AuthService", credentials: grpc.ServerCredentials | None = None):
        self.port = port
        self.service = service
        self.credentials = credentials
        self.answer: Callable[[str], bytes | grpc.StatusCode] = by_name
        self.tokens: list[str] = []
        self._release = threading.Event()
        self._release.set()
        self._server: grpc.Server | None = None

    def start(self) -> "AuthService":
        handler = grpc.unary_unary_rpc_method_handler(self._validate)
        server = grpc.server(futures.ThreadPoolExecutor(32), options=[("grpc.so_reuseport", 0)])
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(self.service, {METHOD: handler}),))
        address = f"127.0.0.1:{self.port}"
        if self.credentials:
            server.add_secure_port(address, self.credentials)
        else:
            server.add_insecure_port(address)
        server.start()
        self._server = server
        return self

    def stop(self) -> None:
        self._release.set()
        if self._server:
            self._server.stop(grace=None).wait()
        self._server = None

    def hang(self) -> None:
        """Calls are taken and not answered."""
        self._release.clear()

    def go_on(self) -> None:
        self._release.set()

    @property
    def asked(self) -> list[str]:
        """The tokens of the calls, without those that check whether the service is there."""
        return [token for token in self.tokens if token]

    def _validate(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        token = token_of(request)
        self.tokens.append(token)
        self._release.wait(60)
        result = self.answer(token)
        if isinstance(result, grpc.StatusCode):
            context.abort(result, f"about {token}")
        return result
