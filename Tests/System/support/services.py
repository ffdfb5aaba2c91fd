"""The servers that instances of the service meet in, as processes of a test's own."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Sequence

import pymongo
import redis
from pymongo.errors import PyMongoError

from support.deadline import eventually
from support.server import clean_environment, die_with_parent, free_port


class Service:
    """A server on a free port of loopback, which keeps port and data over restarts. A missing program is a failure."""

    def __init__(self, directory: Path):
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def command(self) -> Sequence[str]:
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        return {}

    def answers(self) -> bool:
        """Whether it serves; may raise `OSError`."""
        with socket.create_connection(("127.0.0.1", self.port), 1):
            return True

    def start(self, wait: bool = True) -> "Service":
        assert self.process is None, "it runs already"
        with (self.directory / "service.log").open("ab") as log:
            self.process = subprocess.Popen(
                list(self.command()),
                cwd=self.directory,
                env=clean_environment(self.environment()),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent,
            )
        if wait:
            self.wait_until_ready()
        return self

    def wait_until_ready(self, timeout: float = 60) -> None:
        eventually(self._is_ready, f"{type(self).__name__} serves", timeout)

    def kill(self) -> None:
        """SIGKILL: what it did not make durable is gone."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def pause(self) -> None:
        """It answers no requests any more, and its connections stay."""
        self._running().send_signal(signal.SIGSTOP)

    def unpause(self) -> None:
        self._running().send_signal(signal.SIGCONT)

    def _running(self) -> subprocess.Popen[bytes]:
        assert self.process is not None, "it is not running"
        return self.process

    def _is_ready(self) -> bool:
        code = self._running().poll()
        assert code is None, f"ended at start with {code}:\n{(self.directory / 'service.log').read_text()}"
        try:
            return self.answers()
        except OSError:
            return False


class RedisProgram(Service):
    """A server or a sentinel."""

    def __init__(self, directory: Path, password: str | None = None):
        super().__init__(directory)
        self.password = password

    def client(self) -> redis.Redis:
        return redis.Redis(host="127.0.0.1", port=self.port, password=self.password, decode_responses=True)

    def answers(self) -> bool:
        try:
            with self.client() as client:
                return client.ping()
        except redis.RedisError:
            return False


class Redis(RedisProgram):
    """Keeps nothing over restarts, as a cache may."""

    def __init__(self, directory: Path, password: str | None = None, options: Sequence[str] = ()):
        """`options`: of the command line, `--name value`."""
        super().__init__(directory, password)
        self.options = options

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}" if self.password else f"redis://127.0.0.1:{self.port}"

    def command(self) -> Sequence[str]:
        secret = ["--requirepass", self.password] if self.password else []
        return ["redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--save", "", *secret, *self.options]


class MongoDB(Service):
    """A server of MongoDB's protocol; what it confirmed survives `kill`."""

    def __init__(self, directory: Path):
        super().__init__(directory)
        self.options: list[str] = []

    def command(self) -> Sequence[str]:
        # It is among the Python packages of the tests, whose programs need not be on the PATH.
        program = os.environ.get("SECANTUSD") or str(Path(sys.prefix) / "bin" / "secantusd-py")
        options = ["--storage-path", str(self.directory / "data"), "--log-level", "ERROR", "--sync-on-commit"]
        return [program, "--host", "127.0.0.1", "--port", str(self.port), *options, *self.options]

    def uri(self, database: str = "chat") -> str:
        return f"mongodb://127.0.0.1:{self.port}/{database}"

    def client(self) -> pymongo.MongoClient:
        return pymongo.MongoClient(self.uri(), serverSelectionTimeoutMS=500, tz_aware=True)

    def answers(self) -> bool:
        try:
            with self.client() as client:
                return client.admin.command("ping")["ok"] == 1
        except PyMongoError:
            return False
