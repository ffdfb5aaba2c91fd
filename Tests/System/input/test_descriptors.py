"""A server that has run out of file descriptors."""

import resource
import socket
import time
from concurrent.futures import ThreadPoolExecutor

from support.deadline import eventually
from support.process import descriptors

# Rests of 50 ms between looks, on four loops.
LOOKS_A_SECOND = 4 * 20


def looks(server) -> int:
    """How often the acceptors found no descriptor, as their counter says; asked over a connection that is there."""
    lines = server.get("/metrics").text.splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("chat_descriptors_exhausted_total ")))


def test_acceptors_do_not_spin_without_descriptors(make_server):
    server = make_server({"EVENT_LOOPS": "4"})
    assert looks(server) == 0
    limit = descriptors(server.pid) + 4
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (limit, limit))

    def knock(_: int) -> list[socket.socket]:
        knocking = [socket.socket() for _ in range(500)]
        for each in knocking:
            each.setblocking(False)
            each.connect_ex(("127.0.0.1", server.port))
        return knocking

    begun = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        waiting = [each for made in pool.map(knock, range(4)) for each in made]
    eventually(lambda: looks(server) > 0, "they ran out")
    first, since = looks(server), time.monotonic()
    eventually(lambda: time.monotonic() - since > 1, "a second went by")
    seconds = time.monotonic() - begun
    assert looks(server) <= LOOKS_A_SECOND * (seconds + 1), f"{first} at first"
    for each in waiting:
        each.close()
    eventually(lambda: server.get("/health").status_code == 200, "it serves again")
