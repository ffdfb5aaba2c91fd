"""delay of messages and memory while large files are uploaded"""

import argparse
import http.client
import os
import threading
import time
from pathlib import Path
from typing import Any, Callable, Iterator

from support.chat import Chat
from support.server import Server

from figures.load import add_directory, member, milliseconds, paced, resident_bytes, start

PART = os.urandom(256 << 10)
MIB = 1 << 20


def add_options(parser: argparse.ArgumentParser) -> None:
    add_directory(parser)
    parser.add_argument("--files", type=int, default=20, help="files uploaded at the same time")
    parser.add_argument("--mib", type=int, default=100, help="size of each, in MiB")
    parser.add_argument("--large-mib", type=int, default=2048, help="size of one more upload, in MiB")
    parser.add_argument("--rate", type=float, default=50, help="messages a second meanwhile")
    parser.add_argument("--memory-bound", type=float, default=64, help="growth of the process's memory at most, in MiB")


def measure(options: argparse.Namespace, directory: Path) -> Iterator[dict[str, Any]]:
    server = start(directory, MAX_FILE_BYTES=str(max(options.mib, options.large_mib) * MIB))
    try:
        for number in range(options.files + 1):
            member(server, f"user-{number}", "files").close()
        sender, receiver = member(server, "sender", "talk"), member(server, "receiver", "talk")
        # Memory that a first upload needs once, such as threads' stacks, is not the files'.
        upload(server, 0, MIB)
        yield {"figure": "message delay in ms, without uploads", **delays(options, sender, receiver, seconds=10)}
        yield during(
            options, server, sender, receiver, f"{options.files} uploads of {options.mib} MiB",
            [lambda number=number: upload(server, number, options.mib * MIB) for number in range(options.files)],
        )  # fmt: skip
        yield during(
            options, server, sender, receiver, f"an upload of {options.large_mib} MiB",
            [lambda: upload(server, options.files, options.large_mib * MIB)],
        )  # fmt: skip
        sender.close()
        receiver.close()
        yield refused(server)
    finally:
        server.stop()


def upload(server: Server, user: int, size: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
    connection.putrequest("POST", f"/api/chat/files/files?name=file-{user}")
    connection.putheader("X-User-Id", f"user-{user}")
    connection.putheader("Content-Type", "application/octet-stream")
    connection.putheader("Content-Length", str(size))
    connection.endheaders()
    left = size
    while left > 0:
        connection.send(PART[: min(left, len(PART))])
        left -= len(PART)
    answer = connection.getresponse()
    assert answer.status == 201, answer.read()
    connection.close()


def delays(
    options: argparse.Namespace, sender: Chat, receiver: Chat, seconds: float = 600, is_over: Callable[[], bool] | None = None
) -> dict[str, float]:  # fmt: skip
    """From the sending of a message to its arrival at another member."""
    spans: list[float] = []
    for _ in paced(int(options.rate * seconds), options.rate):
        begin = time.monotonic()
        sender.emit("send_message", {"roomId": "talk", "message": "hello"})
        receiver.expect("new_message")
        spans.append(time.monotonic() - begin)
        # The sender is a member too. A client that does not read is closed.
        sender.expect("new_message")
        sender.inbox.clear()
        receiver.inbox.clear()
        if is_over is not None and is_over():
            break
    return milliseconds(spans)


def during(
    options: argparse.Namespace, server: Server, sender: Chat, receiver: Chat, name: str, uploads: list[Callable[[], None]]
) -> dict[str, Any]:  # fmt: skip
    failures: list[BaseException] = []

    def run(upload: Callable[[], None]) -> None:
        try:
            upload()
        except BaseException as error:
            failures.append(error)

    before = peak = resident_bytes(server.pid)
    threads = [threading.Thread(target=run, args=(each,)) for each in uploads]
    begin = time.monotonic()

    def is_over() -> bool:
        nonlocal peak
        peak = max(peak, resident_bytes(server.pid))
        return not any(thread.is_alive() for thread in threads)

    for thread in threads:
        thread.start()
    delay = delays(options, sender, receiver, is_over=is_over)
    for thread in threads:
        thread.join()
    assert not failures, failures
    growth = (peak - before) / MIB
    return {
        "figure": f"message delay in ms, during {name}", **delay, "seconds": round(time.monotonic() - begin, 1),
        "memory before in MiB": round(before / MIB, 1), "growth in MiB": round(growth, 1),
        "good": growth <= options.memory_bound,
    }  # fmt: skip


def refused(server: Server) -> dict[str, Any]:
    """A file over the limit is refused by its announced length, before its content comes."""
    before = resident_bytes(server.pid)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.putrequest("POST", "/api/chat/files/files?name=large")
    connection.putheader("X-User-Id", "user-0")
    connection.putheader("Content-Length", str(1 << 42))
    connection.endheaders()
    status = connection.getresponse().status
    connection.close()
    growth = (resident_bytes(server.pid) - before) / MIB
    return {"figure": "status of an upload over the limit", "status": status, "growth in MiB": round(growth, 1), "good": status == 413}
