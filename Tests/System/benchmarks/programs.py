"""The programs of a measurement, each on a core of its own: the service, the floor server, Node, and what loads them."""

import json
import os
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator

from support.deadline import eventually
from support.server import Server, die_with_parent, free_port

from figures.load import start

SOURCES = Path(__file__).parent / "programs"
Run = dict[str, Any]


@dataclass(frozen=True)
class Cores:
    """Which cores do what. The server under load has `server` for itself."""

    server: int
    load: int
    # One more for a second loop: on two cores it is the one of the load.
    second: int

    @staticmethod
    def found() -> "Cores":
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) < 2:
            raise SystemExit("scripts/bench-all: two cores are needed, one for the server and one for the load")
        return Cores(cores[0], cores[1], cores[2] if len(cores) > 2 else cores[1])


@contextmanager
def on_cores(*cores: int) -> Iterator[None]:
    """Processes and threads that are started meanwhile run on these cores only."""
    usual = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, usual)


def compiled() -> Path:
    """The directory of the floor server and the load generator, compiled when their sources are newer."""
    directory = Path(tempfile.gettempdir()) / f"chat-service-benchmarks-{os.getuid()}"
    directory.mkdir(mode=0o700, exist_ok=True)
    newest = max(each.stat().st_mtime for each in SOURCES.glob("*.[ch]"))
    for name, libraries in (("floor", ["-lcrypto"]), ("chat_load", [])):
        program = directory / name
        if not program.exists() or program.stat().st_mtime < newest:
            source = SOURCES / f"{name}.c"
            subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-o", str(program), str(source), *libraries], check=True)
    return directory


@dataclass(frozen=True)
class Target:
    """A running server."""

    port: int
    pid: int


@contextmanager
def service(cores: tuple[int, ...], directory: Path, **environment: str) -> Iterator[tuple[Target, Server]]:
    """The service with the embedded store and its data in a new directory, with a loop for each core."""
    with tempfile.TemporaryDirectory(dir=directory) as data, on_cores(*cores):
        server = start(Path(data), **{"EVENT_LOOPS": str(len(cores)), "SERVE_CLIENT": "false", **environment})
        with on_cores(*os.sched_getaffinity(os.getpid())):
            try:
                yield Target(server.port, server.pid), server
            finally:
                server.stop()


@contextmanager
def program(core: int, command: list[str]) -> Iterator[Target]:
    """Another server on a core; `{port}` in its command becomes its port."""
    port = free_port()
    with on_cores(core):
        process = subprocess.Popen(
            [each.replace("{port}", str(port)) for each in command], stdin=subprocess.DEVNULL, preexec_fn=die_with_parent
        )
    try:
        eventually(lambda: is_listening(port), f"{command[0]} listens")
        yield Target(port, process.pid)
    finally:
        process.kill()
        process.wait()


def is_listening(port: int) -> bool:
    """Without a connection, which the server would count."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                return True
    return False


@contextmanager
def floor(core: int, *document: str) -> Iterator[Target]:
    with program(core, [str(compiled() / "floor"), "{port}", *document]) as target:
        yield target


def chat_load(core: int, target: Target, **options: Any) -> list[Run]:
    """Runs the load generator; a run for each of its rates. An option of `True` has no value."""
    command = [str(compiled() / "chat_load"), "--port", str(target.port), "--pid", str(target.pid)]
    for name, value in options.items():
        command += [f"--{name.replace('_', '-')}"] + ([] if value is True else [str(value)])
    with on_cores(core):
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, preexec_fn=die_with_parent)
    # The next server does not start while the kernel takes down thousands of connections of this one.
    time.sleep(0.2)
    return [json.loads(line) for line in done.stdout.splitlines()]
