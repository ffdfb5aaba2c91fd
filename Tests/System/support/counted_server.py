"""A server whose allocations are counted, by a library that stands before its malloc (`counted/allocations.c`)."""

import struct
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from support.deadline import eventually
from support.server import Server


class CountedServer:
    """A server with one loop, and the allocations of its threads."""

    _ROW = struct.Struct("=3Q")

    def __init__(self, server: Server, table: Path):
        self.server = server
        self._table = table
        self._names: dict[int, str] = {}

    @property
    def allocations(self) -> Counter[str]:
        """By thread, and SQLite's of all threads."""
        counts: Counter[str] = Counter()
        for thread, others, sqlite in self._ROW.iter_unpack(self._table.read_bytes()):
            counts[self._name(thread)] += others
            counts["SQLite"] += sqlite
        return counts

    def _name(self, thread: int) -> str:
        """The thread's name, or the last one that a thread had which has ended."""
        try:
            self._names[thread] = Path(f"/proc/{self.server.pid}/task/{thread}/comm").read_text().strip()
        except FileNotFoundError:
            pass
        return self._names.get(thread, "ended")

    def settled(self) -> Counter[str]:
        """The counts once the store has nothing more to move and to index: a move begins within a second of its first message."""
        seen = [self.allocations]

        def is_still() -> bool:
            seen.append(self.allocations)
            return seen[-1]["SQLite"] == seen[-2]["SQLite"]

        eventually(is_still, "the store has moved and indexed all messages", every=1.5)
        return seen[-1]

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """The server begins with nothing that comes meanwhile before the end."""
        self.server.pause()
        tasks = Path(f"/proc/{self.server.pid}/task")
        eventually(
            lambda: all(stat.read_text().rpartition(")")[2].split()[0] == "T" for stat in tasks.glob("*/stat")),
            "every thread is stopped",
            every=0.001,
        )
        yield
        self.server.unpause()
