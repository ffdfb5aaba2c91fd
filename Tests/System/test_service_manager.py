"""systemd starts the service as `Type=notify` with a watchdog: the states that it receives over `NOTIFY_SOCKET`."""

import signal
import socket
import time
from typing import Iterator

import pytest

from support.deadline import TIMEOUT_SECONDS


class ServiceManager:
    """The receiving end of sd_notify(3)."""

    def __init__(self, address: str):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self.socket.settimeout(TIMEOUT_SECONDS)
        self.environment = {"NOTIFY_SOCKET": address}

    def next(self) -> dict[str, str]:
        return dict(line.split("=", 1) for line in self.socket.recv(4096).decode().splitlines())

    def next_but_alive(self) -> dict[str, str]:
        while (state := self.next()) == {"WATCHDOG": "1"}:
            pass
        return state


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path) -> Iterator[ServiceManager]:
    address = {"path": f"{tmp_path}/notify", "abstract": f"@chat-service-{tmp_path}"}[request.param]
    manager = ServiceManager(address)
    yield manager
    manager.socket.close()


def test_states_over_a_life(make_server, manager):
    server = make_server(manager.environment, start=False).start(wait=False)
    assert manager.next() == {"READY": "1"}
    assert server.get("/health").status_code == 200, "it serves when it says so"
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    server.process.send_signal(signal.SIGHUP)
    reloading = manager.next()
    assert reloading.keys() == {"RELOADING", "MONOTONIC_USEC"} and int(reloading["MONOTONIC_USEC"]) >= before
    assert manager.next() == {"READY": "1"}
    server.process.send_signal(signal.SIGTERM)
    assert manager.next() == {"STOPPING": "1"}
    assert server.wait() == 0


def test_a_watchdog_hears_of_a_process_that_works(make_server, manager):
    server = make_server(manager.environment | {"WATCHDOG_USEC": "100000"}, start=False).start(wait=False)
    assert manager.next() == {"READY": "1"}
    for _ in range(3):
        assert manager.next() == {"WATCHDOG": "1"}
    server.process.send_signal(signal.SIGTERM)
    assert manager.next_but_alive() == {"STOPPING": "1"}
    assert server.wait() == 0


def test_a_start_that_fails_is_never_ready(make_server, manager):
    first = make_server()
    second = make_server(manager.environment, start=False, port=first.port).start(wait=False)
    assert second.wait() == 1
    manager.socket.settimeout(0)
    with pytest.raises(BlockingIOError):
        manager.next()
