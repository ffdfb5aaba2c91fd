"""The system calls of a process, as strace sees them."""

import collections
import re
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from support.deadline import eventually
from support.server import die_with_parent

# A call, or the first half of one that another thread's came between; and the second half.
_CALL = re.compile(r"^(?P<thread>\d+)\s+(?P<name>\w+)\((?P<rest>.*)$")
_RESUMED = re.compile(r"^(?P<thread>\d+)\s+<\.\.\. (?P<name>\w+) resumed>(?P<rest>.*)$")
_FILE = re.compile(r"^\d+<(?P<path>[^>]*)>")
_RESULT = re.compile(r"= (?P<result>-?\d+)")


@dataclass(frozen=True)
class SystemCall:
    name: str
    # The file, socket or pipe that the first argument names.
    file: str
    # -1 for a failure.
    result: int


class SystemCalls:
    """Watches a process and all its threads between `__enter__` and `__exit__`; the calls are there afterwards."""

    def __init__(self, pid: int, directory: Path):
        assert shutil.which("strace"), "strace is needed: scripts/packages --install test"
        self.calls: list[SystemCall] = []
        self._pid = pid
        self._directory = directory

    def __enter__(self) -> "SystemCalls":
        self._directory.mkdir(parents=True, exist_ok=True)
        self._output, log = self._directory / "calls", self._directory / "strace.log"
        command = ["strace", "-f", "-y", "-s", "0", "-o", str(self._output), "-p", str(self._pid)]
        with log.open("wb") as errors:
            self._process = subprocess.Popen(command, stderr=errors, preexec_fn=die_with_parent)

        def is_attached() -> bool:
            assert self._process.poll() is None, f"strace cannot watch a process here: {log.read_text()}"
            return "attached" in log.read_text()

        eventually(is_attached, "strace watches the process")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.wait()
        self.calls = _read(self._output.read_text().splitlines())

    def by_name(self) -> collections.Counter[str]:
        return collections.Counter(call.name for call in self.calls)

    def of(self, *names: str, file: str = "") -> list[SystemCall]:
        """The calls with one of these names on files whose path holds `file`."""
        return [call for call in self.calls if call.name in names and file in call.file]


def _read(lines: list[str]) -> list[SystemCall]:
    calls: list[SystemCall] = []
    begun: dict[str, tuple[str, str]] = {}
    for line in lines:
        if (match := _CALL.match(line)) is not None:
            file = _FILE.match(match["rest"])
            path = file["path"] if file else ""
            if "<unfinished ...>" in line:
                begun[match["thread"]] = (match["name"], path)
            else:
                calls.append(SystemCall(match["name"], path, _result(match["rest"])))
        elif (match := _RESUMED.match(line)) is not None:
            name, path = begun.pop(match["thread"], (match["name"], ""))
            calls.append(SystemCall(name, path, _result(match["rest"])))
    return calls


def _result(rest: str) -> int:
    found = _RESULT.findall(rest)
    return int(found[-1]) if found else -1
