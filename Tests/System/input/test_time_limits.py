"""Clients that dawdle. All of them start at once, so that the module takes no longer than the slowest of them."""

import socket
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Callable

import pytest

from support.deadline import TIMEOUT_SECONDS
from support.wire import PING, PONG, Wire, event, frame

HEAD_SECONDS = 10
BODY_SECONDS = 30
PING_SECONDS = 25
PONG_SECONDS = 20
# How late a busy machine may be. It is less than the difference between two time limits that a test distinguishes.
LATE = 15

Case = Callable[[Wire], object]


def drip(wire: Wire, data: bytes) -> None:
    """One byte a second, until all is sent or the server has had enough."""
    for number in range(len(data)):
        try:
            wire.send(data[number : number + 1])
        except OSError:
            return
        wire.socket.settimeout(1)
        try:
            if wire.socket.recv(1, socket.MSG_PEEK):
                return
        except TimeoutError:
            continue


def says_nothing(wire: Wire):
    return wire.response(timeout=HEAD_SECONDS + LATE).status


def sends_half_a_head(wire: Wire):
    wire.send("GET /health HTTP/1.1\r\nHost: localhost\r\n")
    return wire.response(timeout=HEAD_SECONDS + LATE).status


def drips_a_head(wire: Wire):
    drip(wire, b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: " + b"y" * 60)
    return wire.response(timeout=LATE).status


def drips_a_second_head(wire: Wire):
    """The time for a head is counted for every request of a connection."""
    assert wire.ask("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").status == 200
    drip(wire, b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: " + b"y" * 60)
    return wire.response(timeout=LATE).status


def drips_a_body(wire: Wire):
    wire.send("POST /api/chat/x/messages HTTP/1.1\r\nHost: localhost\r\nX-User-Id: a\r\nContent-Length: 1000\r\n\r\n")
    drip(wire, b"x" * 60)
    return wire.response(timeout=LATE).status


def drips_chunks(wire: Wire):
    wire.send("POST /api/chat/x/messages HTTP/1.1\r\nHost: localhost\r\nX-User-Id: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    drip(wire, b"1\r\nx\r\n" * 20)
    return wire.response(timeout=LATE).status


def upgrades_and_is_gone_without_a_word(wire: Wire):
    """Half-open: the ping that asks whether it is there stays unanswered."""
    wire.open().send(event("authenticate", {"userId": "half-open"}))
    got = next(got for got in wire.frames(PING_SECONDS + LATE) if got.opcode == PING)
    assert got.payload == b""
    wire.expect_end(PONG_SECONDS + LATE)
    return "ended"


def stays_within_a_frame(wire: Wire):
    wire.open().send(frame(1, b"x" * 100)[:-1])
    wire.expect_end(PING_SECONDS + PONG_SECONDS + LATE)
    return "ended"


def answers_pings(wire: Wire):
    wire.open()
    for _ in range(2):
        # The second comes later than the end of a client that does not answer the first.
        got = wire.frame()
        assert got.opcode == PING
        wire.send(frame(PONG, got.payload))
    wire.send(event("ping", "still here"))
    assert wire.event("pong") == "still here"
    return "pinged on"


def speaks_within_the_time(wire: Wire):
    time.sleep(HEAD_SECONDS / 2)
    return wire.ask("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").status


CASES: dict[Case, tuple[object, float, float]] = {
    says_nothing: (408, HEAD_SECONDS, HEAD_SECONDS + LATE),
    sends_half_a_head: (408, HEAD_SECONDS, HEAD_SECONDS + LATE),
    drips_a_head: (408, HEAD_SECONDS, HEAD_SECONDS + LATE),
    drips_a_second_head: (408, HEAD_SECONDS, HEAD_SECONDS + LATE),
    drips_a_body: (408, BODY_SECONDS, BODY_SECONDS + LATE),
    drips_chunks: (408, BODY_SECONDS, BODY_SECONDS + LATE),
    speaks_within_the_time: (200, HEAD_SECONDS / 2, HEAD_SECONDS + LATE),
    upgrades_and_is_gone_without_a_word: ("ended", PING_SECONDS + PONG_SECONDS, PING_SECONDS + PONG_SECONDS + LATE),
    stays_within_a_frame: ("ended", PING_SECONDS + PONG_SECONDS, PING_SECONDS + PONG_SECONDS + LATE),
    answers_pings: ("pinged on", 2 * PING_SECONDS, 2 * PING_SECONDS + 2 * LATE),
}


@pytest.fixture(scope="module")
def outcomes(shared):
    """Every case in a thread of its own: what it came to, and after how many seconds."""

    def run(case: Case) -> tuple[object, float]:
        with Wire(shared.port) as wire:
            start = time.monotonic()
            outcome = case(wire)
            return outcome, time.monotonic() - start

    with ThreadPoolExecutor(len(CASES)) as pool:
        started: dict[Case, Future] = {case: pool.submit(run, case) for case in CASES}
        yield started


@pytest.fixture(autouse=True)
def nothing_left_behind(bystander):
    """The connections of all cases live side by side here: they are counted when the last has gone."""
    yield
    bystander.send("lobby", "undisturbed")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_a_slow_client_gets_an_error_and_is_cut_off(outcomes, case):
    expected, earliest, latest = CASES[case]
    outcome, seconds = outcomes[case].result(timeout=2 * TIMEOUT_SECONDS)
    assert outcome == expected
    assert earliest - 0.5 <= seconds <= latest
