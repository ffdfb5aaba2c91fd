"""Allocations for a request over REST, counted as those of a message are (`test_allocations.py`), on a release build."""

import re
import socket
from typing import Callable, Iterator

import pytest

from support.counted_server import CountedServer
from support.server import Server

# Of a page that is kept encoded, for a head that came before: the request and its way to the handler, the room's answer, the places in the
# queue, the fields of the answer and its head. The body is not copied.
KEPT_PAGE = 8
# The same without a body.
UNCHANGED_PAGE = 7
# Of a head that never came before, which has to be read: its bytes, its fields' places, the parts of its path and query, and what the request
# is for: its route with the path's parameters.
FRESH_HEAD = 13
# What the loop and the store do meanwhile, for each request.
BACKGROUND = 0.5
REQUESTS = 2000
PATH = "/api/chat/room/history"


class Caller:
    """A client that keeps its connection and sends one request after the other."""

    def __init__(self, server: Server):
        self._socket = socket.create_connection(("127.0.0.1", server.port))
        self._server = server

    def close(self) -> None:
        self._socket.close()

    def get(self, path: str, *fields: str) -> tuple[str, bytes]:
        """The answer's head and body."""
        lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{self._server.port}", *fields, "", ""]
        self._socket.sendall("\r\n".join(lines).encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._receive()
        head, _, body = answer.partition(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", head)
        while length and len(body) < int(length[1]):
            body += self._receive()
        return head.decode(), body

    def _receive(self) -> bytes:
        received = self._socket.recv(1 << 16)
        assert received, "the server ended the connection"
        return received


@pytest.fixture
def caller(counted: CountedServer, make_exchange) -> Iterator[Caller]:
    make_exchange(counted.server, "room", 1).one_by_one(60)
    caller = Caller(counted.server)
    yield caller
    caller.close()


def of_requests(counted: CountedServer, caller: Caller, status: int, field: Callable[[int], str]) -> float:
    """What the loop allocates for each request with a field, which is made of the request's number."""
    for number in range(20):
        assert caller.get(f"{PATH}?limit=50&before=55", field(-number))[0].startswith(f"HTTP/1.1 {status} ")
    before = counted.settled()
    for number in range(REQUESTS):
        caller.get(f"{PATH}?limit=50&before=55", field(number))
    return (counted.allocations - before)["loop-0"] / REQUESTS - BACKGROUND


def test_a_kept_page_takes_few_allocations(counted, caller):
    assert of_requests(counted, caller, 200, lambda _: "X-Same: 1") <= KEPT_PAGE


def test_a_head_that_never_came_takes_a_few_more(counted, caller):
    assert of_requests(counted, caller, 200, lambda number: f"X-Number: {number}") <= KEPT_PAGE + FRESH_HEAD


def test_an_unchanged_page_takes_few_allocations(counted, caller):
    head, _ = caller.get(f"{PATH}?limit=50&before=55")
    tag = re.search(r"ETag: (\S+)", head)
    assert tag
    assert of_requests(counted, caller, 304, lambda _: f"If-None-Match: {tag[1]}") <= UNCHANGED_PAGE
