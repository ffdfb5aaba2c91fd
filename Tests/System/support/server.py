"""One running chat-service process."""

import ctypes
import os
import random
import signal
import socket
import subprocess
from pathlib import Path
from typing import Mapping

import requests

from support.deadline import TIMEOUT_SECONDS, eventually

ROOT = Path(__file__).resolve().parents[3]

# Limits that count everybody on 127.0.0.1 as one are off; the tests of those limits set them.
DEFAULTS = {
    "HOST": "127.0.0.1",
    "LOG_FORMAT": "json",
    "LOG_LEVEL": "debug",
    "EVENT_LOOPS": "2",
    "RATE_LIMIT_CONNECTIONS": "0",
    "RATE_LIMIT_MESSAGES": "0",
    "SHUTDOWN_GRACE_MS": "2000",
}


def binary(name: str = "chat-service", variable: str = "CHAT_SERVICE_BINARY") -> Path:
    """The built executable; a missing one is a failure, not a skip."""
    path = Path(os.environ.get(variable) or ROOT / ".build" / "debug" / name)
    if not os.access(path, os.X_OK):
        raise FileNotFoundError(f"{path} is not there: run `swift build`, or set {variable}")
    return path


def clean_environment(env: Mapping[str, str]) -> dict[str, str]:
    """An environment of its own, so that nothing set on the developer's machine changes a test.

    Killed servers would leave the MongoDB driver's counters in shared memory, and a later one of the same pid complain.
    """
    return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "MONGOC_DISABLE_SHM": "1", **env}


_given_ports: set[int] = set()


def free_port() -> int:
    """A port without a listener, below those that the system gives to connections, where one may be taken at any moment."""

    def pick() -> int | None:
        port = random.randrange(13_000, 29_900)
        return port if port not in _given_ports and _is_free(port) else None

    port = eventually(pick, "a free port")
    _given_ports.add(port)
    return port


def cluster_ports() -> int:
    """The first of the thirteen ports that scripts/cluster takes, below those which connections are given, where one may be
    taken at any moment. The broker's second port is 20,000 above its first."""

    def pick() -> int | None:
        first = random.randrange(10_000, 12_700, 20)
        return first if all(map(_is_free, [*range(first, first + 13), first + 20_003])) else None

    return eventually(pick, "thirteen free ports in a row")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def die_with_parent() -> None:
    """For a child about to be run. Linux: it gets SIGKILL when pytest ends, however that happens."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


class Server:
    """A server on a port and a data directory of its own, which it keeps over restarts."""

    def __init__(self, directory: Path, env: Mapping[str, str] | None = None, port: int | None = None):
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.port = port or free_port()
        self.log = directory / "server.log"
        self.env = {**DEFAULTS, "DATA_DIR": str(directory / "data"), **(env or {}), "PORT": str(self.port)}
        self.process: subprocess.Popen[bytes] | None = None
        self._expected_to_live = False
        self._http = requests.Session()
        self._http.trust_env = False
        self._http.verify = False

    # Where it is

    @property
    def secure(self) -> bool:
        return "TLS_CERT_FILE" in self.env

    @property
    def url(self) -> str:
        return f"{'https' if self.secure else 'http'}://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"{'wss' if self.secure else 'ws'}://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        return self._running().pid

    # Its life

    def start(self, wait: bool = True) -> "Server":
        assert self.process is None, "the server runs already"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [str(binary()), "serve"],
                env=clean_environment(self.env),
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent if os.name == "posix" and Path("/proc").exists() else None,
            )
        self._expected_to_live = True
        if wait:
            self.wait_until_healthy()
        return self

    def wait_until_healthy(self, timeout: float = TIMEOUT_SECONDS) -> None:
        eventually(self._is_healthy, "GET /health answered 200", timeout)

    def kill(self) -> None:
        """SIGKILL: what the server did not make durable is gone."""
        self._signal(signal.SIGKILL)
        self.wait()

    def pause(self) -> None:
        """It does nothing any more, and its connections stay."""
        self._running().send_signal(signal.SIGSTOP)

    def unpause(self) -> None:
        self._running().send_signal(signal.SIGCONT)

    def terminate(self, timeout: float = TIMEOUT_SECONDS) -> int:
        """SIGTERM, and the exit code of the drain that follows."""
        self._signal(signal.SIGTERM)
        return self.wait(timeout)

    def wait(self, timeout: float = TIMEOUT_SECONDS) -> int:
        """The exit code of a server that is ending."""
        self._expected_to_live = False
        code = self._running().wait(timeout)
        self.process = None
        return code

    def restart(self, env: Mapping[str, str] | None = None) -> "Server":
        """Starts it again on the same port and data, ending it first if it still runs."""
        if self.process is not None:
            self.terminate()
        self.env |= env or {}
        return self.start()

    def stop(self) -> None:
        """For the end of a test: ends the process, and fails when it had ended by itself."""
        if self.process is not None:
            self.process.kill()
            code = self.process.wait()
            self.process = None
            if self._expected_to_live and code != -signal.SIGKILL:
                raise AssertionError(f"the server ended by itself with {code}:\n{self.log_tail()}")
        self._http.close()

    # What it says

    def get(self, path: str, **options) -> requests.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, **options) -> requests.Response:
        return self.request("POST", path, **options)

    def put(self, path: str, **options) -> requests.Response:
        return self.request("PUT", path, **options)

    def patch(self, path: str, **options) -> requests.Response:
        return self.request("PATCH", path, **options)

    def delete(self, path: str, **options) -> requests.Response:
        return self.request("DELETE", path, **options)

    def request(self, method: str, path: str, **options) -> requests.Response:
        options.setdefault("timeout", TIMEOUT_SECONDS)
        return self._http.request(method, self.url + path, **options)

    def log_text(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def log_tail(self, lines: int = 60) -> str:
        return "\n".join(self.log_text().splitlines()[-lines:])

    # Within

    def _running(self) -> subprocess.Popen[bytes]:
        assert self.process is not None, "the server is not running"
        return self.process

    def _signal(self, number: int) -> None:
        self._expected_to_live = False
        self._running().send_signal(number)

    def _is_healthy(self) -> bool:
        code = self._running().poll()
        if code is not None:
            self._expected_to_live = False
            raise AssertionError(f"the server ended at start with {code}:\n{self.log_tail()}")
        try:
            return self.get("/health", timeout=5).status_code == 200
        except requests.RequestException:
            return False
