"""What a message costs, in things that can be counted: the counts are the same on every machine, and in debug builds.

A bound here is the present count with a little room for timers and for the machine's other work. When a change has a reason to
cost more, its commit raises the bound and says why.
"""

import os
import subprocess
from pathlib import Path
from typing import Callable, Iterator

import pytest

from support.counted_fleet import CountedFleet
from support.counted_server import CountedServer
from support.exchange import Exchange
from support.server import ROOT, Server
from support.system_calls import SystemCalls

MakeExchange = Callable[..., Exchange]


@pytest.fixture
def one_loop(make_server: Callable[..., Server]) -> Server:
    """A server with one loop, whose log is silent: a line of the log is a call too."""
    return make_server({"EVENT_LOOPS": "1", "LOG_LEVEL": "error"})


@pytest.fixture
def make_exchange() -> Iterator[MakeExchange]:
    """Fills rooms: `make_exchange(server, "room", 10)`."""
    exchanges: list[Exchange] = []

    def make(server: Server, room: str, members: int) -> Exchange:
        exchanges.append(Exchange(server, room, members))
        return exchanges[-1]

    yield make
    for each in exchanges:
        each.close()


@pytest.fixture
def watched(tmp_path: Path) -> Callable[[Server], SystemCalls]:
    """The system calls of a server, for a `with` statement."""
    return lambda server: SystemCalls(server.pid, tmp_path / "calls")


@pytest.fixture
def counted_fleet(tmp_path: Path) -> Iterator[CountedFleet]:
    with CountedFleet(tmp_path / "fleet", {"LOG_LEVEL": "error", "EVENT_LOOPS": "1"}) as fleet:
        yield fleet


@pytest.fixture(scope="session")
def counting_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    library = tmp_path_factory.mktemp("counted") / "allocations.so"
    source = Path(__file__).with_name("allocations.c")
    subprocess.run(["cc", "-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", library, source], check=True)
    return library


@pytest.fixture
def counted(
    make_server: Callable[..., Server], counting_library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> CountedServer:
    release = os.environ.get("RELEASE_SERVER_BINARY") or str(ROOT / ".build/release/chat-service")
    assert os.access(release, os.X_OK), f"{release} is not there: run scripts/count-allocations"
    monkeypatch.setenv("CHAT_SERVICE_BINARY", release)
    table = tmp_path / "allocations"
    server = make_server({
        "EVENT_LOOPS": "1", "LOG_LEVEL": "error", "LD_PRELOAD": str(counting_library), "ALLOCATIONS": str(table),
    })  # fmt: skip
    return CountedServer(server, table)
