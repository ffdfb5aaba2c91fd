"""Too much of a good thing: connections, messages, frames."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.deadline import eventually
from support.process import descriptors
from support.wire import Wire, event

ENVIRONMENT = {"RATE_LIMIT_CONNECTIONS": "20", "RATE_LIMIT_MESSAGES": "4"}
HEALTH = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(autouse=True)
def nothing_left_behind(shared):
    """Limits count everybody on this address, bystanders too: what stays is counted in the tests."""
    yield


@pytest.fixture
def allowance(shared):
    """Waits until the address may connect again."""

    def is_let_in():
        with Wire(shared.port) as wire:
            return wire.ask(HEALTH).status == 200

    eventually(is_let_in, "the address is let in again", every=0.1)
    # A full allowance is four seconds' worth; the tests here need no more than a second's.
    time.sleep(1)


def test_a_thousand_connections_from_one_address(shared, allowance):
    held = descriptors(shared.pid)

    def knock(number: int) -> int:
        with Wire(shared.port) as wire:
            if number % 2:
                answer = wire.upgrade("/ws?userId=flood")
            else:
                answer = wire.ask(HEALTH)
            if answer.status == 429:
                assert int(answer.headers["retry-after"]) >= 1
                assert answer.json()["code"] == "rate_limited" and answer.headers["connection"] == "close"
                assert wire.expect_end() == b""
            return answer.status

    start = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(knock, range(1000)))
    seconds = time.monotonic() - start
    let_in = sum(status in (200, 101) for status in statuses)
    assert set(statuses) <= {200, 101, 429}
    assert let_in <= 80 + 20 * seconds + 5, "a burst of four seconds' worth, then the rate"
    assert let_in >= 15
    eventually(lambda: descriptors(shared.pid) <= held, "every descriptor is given back")


def test_the_limit_lets_go_again(shared, allowance):
    with Wire(shared.port) as wire:
        assert wire.ask(HEALTH).status == 200


def test_requests_on_one_connection_are_not_connections(shared, allowance):
    with Wire(shared.port) as wire:
        for _ in range(300):
            assert wire.ask(HEALTH).status == 200


def replies(wire: Wire):
    """The refusals and acks in the order they come."""
    while True:
        yield wire.event("ack")


def test_a_users_messages_are_limited_over_all_sessions(shared, allowance):
    first, second = Wire(shared.port), Wire(shared.port)
    for wire in (first, second):
        wire.open().send(event("authenticate", {"userId": "chatty"}, 1) + event("join_room", {"roomId": "limits"}, 2))
        assert [wire.event("ack")["success"] for _ in range(2)] == [True, True]
    outcomes = []
    start = time.monotonic()
    for wire in (first, second):
        # In one go: sent one by one, a busy machine might send no faster than the limit allows.
        wire.send(b"".join(event("send_message", {"roomId": "limits", "message": f"{n}"}, 3) for n in range(20)))
        outcomes += [wire.event("ack") for _ in range(20)]
    taken = [outcome for outcome in outcomes if outcome["success"]]
    refused = [outcome["error"] for outcome in outcomes if not outcome["success"]]
    assert 12 <= len(taken) <= 12 + 4 * (time.monotonic() - start) + 1, "a burst of three seconds' worth, over both sessions"
    for error in refused:
        assert error["code"] == "rate_limited" and error["retryable"] is True
        assert 0 < error["retryAfterMs"] <= 1000
    assert [outcome["seq"] for outcome in taken] == list(range(1, len(taken) + 1)), "nothing refused was stored"
    time.sleep(refused[-1]["retryAfterMs"] / 1000)
    second.send(event("send_message", {"roomId": "limits", "message": "after the wait"}, 4))
    assert second.event("ack")["success"] is True
    for wire in (first, second):
        wire.socket.close()


@pytest.mark.parametrize(
    "command",
    [("send_message", {"roomId": "abuse", "message": "spam"}), ("ping", None), ("typing", {"roomId": "abuse", "isTyping": True})],
    ids=lambda command: command[0],
)  # fmt: skip
def test_a_client_that_ignores_refusals_is_closed(shared, allowance, command):
    with Wire(shared.port) as wire:
        wire.open().send(event("authenticate", {"userId": f"abuser-{command[0]}"}) + event("join_room", {"roomId": "abuse"}))
        wire.event("room_state")
        wire.send(event(*command) * 200)
        assert wire.close_code() == 4429


def test_garbage_counts_as_frames_do(shared, allowance):
    with Wire(shared.port) as wire:
        wire.open().send((event("ping") + event("nonsense")) * 300)
        assert wire.close_code() in (4429, 4400)


def test_connections_of_the_process_are_bounded(make_server):
    server = make_server({"MAX_CONNECTIONS": "20"})
    wires = [Wire(server.port) for _ in range(40)]
    statuses = []
    for wire in wires:
        try:
            statuses.append(wire.ask(HEALTH).status)
        except (EOFError, ConnectionResetError, BrokenPipeError):
            statuses.append(None)
    assert 15 <= statuses.count(200) <= 20
    assert set(statuses) <= {200, 503, None} and 503 in statuses
    for wire in wires:
        wire.socket.close()
    server.wait_until_healthy()
