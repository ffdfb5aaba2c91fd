"""how long a page of a search takes over many messages"""

import argparse
import random
import time
from pathlib import Path
from typing import Any, Iterator

from support.server import Server

from figures.load import add_directory, member, milliseconds, start

READER = {"X-User-Id": "reader"}
SENDERS = 4


def add_options(parser: argparse.ArgumentParser) -> None:
    add_directory(parser)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--rooms", type=int, default=50)
    parser.add_argument("--searches", type=int, default=300, help="searches of each kind")
    parser.add_argument("--bound", type=float, default=50, help="milliseconds for a page at most (p99)")


def measure(options: argparse.Namespace, directory: Path) -> Iterator[dict[str, Any]]:
    server = start(directory)
    try:
        yield fill(options, server)
        for name, query, filters in kinds(options):
            yield search(options, server, name, query, filters)
    finally:
        server.stop()


def word(rank: int) -> str:
    return f"word{rank:05d}"


def fill(options: argparse.Namespace, server: Server) -> dict[str, Any]:
    """Words as often as in a language: the one of rank n as often as 1/n."""
    source = random.Random(7)
    rooms = [f"room-{number}" for number in range(options.rooms)]
    ranks = range(1, 20_001)
    weights = [1 / rank for rank in ranks]
    begin = time.monotonic()
    reader = member(server, "reader", *rooms)
    reader.close()
    senders = [member(server, f"sender-{number}") for number in range(SENDERS)]
    for number, room in enumerate(rooms):
        senders[number % SENDERS].join(room)
    sent = 0
    while sent < options.messages:
        pending = []
        for _ in range(min(500, options.messages - sent)):
            number = source.randrange(options.rooms)
            chat = senders[number % SENDERS]
            text = " ".join(map(word, source.choices(ranks, weights, k=source.randint(4, 20))))
            if sent % 5000 == 0:
                text += f" rareword{sent // 5000}"
            pending.append((chat, chat.emit_with_id("send_message", {"roomId": rooms[number], "message": text})))
            sent += 1
        for chat, id in pending:
            assert chat.reply(id).get("success") is not False
        for chat in senders:
            chat.inbox.clear()
    for chat in senders:
        chat.close()
    # Messages get into the index behind their acknowledgement.
    time.sleep(5)
    return {"figure": "messages stored", "count": sent, "seconds": round(time.monotonic() - begin, 1)}


def kinds(options: argparse.Namespace) -> list[tuple[str, list[str], dict[str, str]]]:
    rares = [f"rareword{number}" for number in range(max(1, options.messages // 5000))]
    return [
        ("a frequent word", [word(rank) for rank in range(1, 11)], {}),
        ("a word of the middle", [word(rank) for rank in range(500, 1500, 7)], {}),
        ("a rare word", rares, {}),
        ("a word that is nowhere", ["nowhere"], {}),
        ("a prefix", [f"word0{number}*" for number in range(10)] + ["rareword*"], {}),
        ("two words", [f"{word(rank)} {word(rank + 40)}" for rank in range(1, 60)], {}),
        ("a word in a room", [word(rank) for rank in range(50, 100)], {"roomId": "room-1"}),
    ]


def search(
    options: argparse.Namespace, server: Server, name: str, queries: list[str], filters: dict[str, str]
) -> dict[str, Any]:
    spans: list[float] = []
    found = 0
    for number in range(options.searches):
        parameters = {"q": queries[number % len(queries)], **filters}
        begin = time.monotonic()
        answer = server.get("/api/search", params=parameters, headers=READER)
        spans.append(time.monotonic() - begin)
        assert answer.status_code == 200, answer.text
        found += len(answer.json()["results"])
    page = milliseconds(spans)
    return {
        "figure": f"ms for a page of a search for {name}", **page, "results": round(found / options.searches, 1),
        "good": page["p99"] < options.bound,
    }  # fmt: skip
