"""processor time for a delivery of edits and reactions, compared with messages"""

import argparse
import collections
import statistics
import time
from pathlib import Path
from typing import Any, Callable, Iterator

from support.chat import Chat
from support.deadline import eventually
from support.server import Server

from figures.load import Listeners, add_directory, counted, cpu_seconds, member, paced, start

TEXT = "So much is said in an ordinary message of about a hundred characters, which is what most people write."
BROADCASTS = ("new_message", "message_edited", "message_reaction")


def add_options(parser: argparse.ArgumentParser) -> None:
    add_directory(parser)
    parser.add_argument("--members", type=int, default=200, help="members of the room")
    parser.add_argument("--rate", type=float, default=50, help="messages or changes a second")
    parser.add_argument("--seconds", type=float, default=20, help="length of one run")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each kind; the medians are compared")
    parser.add_argument("--bound", type=float, default=1.10, help="cost of a change at most, in messages")


def measure(options: argparse.Namespace, directory: Path) -> Iterator[dict[str, Any]]:
    server = start(directory)
    listeners = Listeners(server, "room", options.members)
    sender = member(server, "sender", "room")
    try:
        yield from compare(options, server, sender)
        assert listeners.lost == 0, f"{listeners.lost} members were closed: the figures mean nothing"
    finally:
        sender.close()
        listeners.close()
        server.stop()


def compare(options: argparse.Namespace, server: Server, sender: Chat) -> Iterator[dict[str, Any]]:
    count = int(options.rate * options.seconds)
    eventually(lambda: is_full(options, server, sender), "all members have joined")
    ids = [sender.send("room", f"{TEXT} {number}")["messageId"] for number in range(100)]
    reacted: set[int] = set()

    def message(number: int) -> tuple[str, dict[str, Any]]:
        return "send_message", {"roomId": "room", "message": f"{TEXT} {number}"}

    def edit(number: int) -> tuple[str, dict[str, Any]]:
        return "edit_message", {"roomId": "room", "messageId": ids[number % 100], "message": f"{TEXT} {time.time_ns()}"}

    def react(number: int) -> tuple[str, dict[str, Any]]:
        reacted.symmetric_difference_update({number % 100})
        removed = number % 100 not in reacted
        return "react", {"roomId": "room", "messageId": ids[number % 100], "emoji": "👍", "remove": removed}

    costs: dict[str, list[float]] = {"messages": [], "edits": [], "reactions": []}
    for _ in range(options.rounds):
        for name, command in (("messages", message), ("edits", edit), ("reactions", react)):
            costs[name].append(cost(options, server, sender, command, count))
    usual = statistics.median(costs["messages"])
    for name, found in costs.items():
        ratio = statistics.median(found) / usual
        yield {
            "figure": f"CPU µs for a delivery of {name}", "median": round(statistics.median(found), 3),
            "runs": [round(each, 3) for each in found], "of a message's": round(ratio, 3), "good": ratio <= options.bound,
        }  # fmt: skip


def is_full(options: argparse.Namespace, server: Server, sender: Chat) -> bool:
    before = counted(server, "chat_deliveries_total")
    sender.send("room", "hello")
    sender.expect("new_message")
    return counted(server, "chat_deliveries_total") - before >= options.members


def cost(
    options: argparse.Namespace, server: Server, sender: Chat,
    command: Callable[[int], tuple[str, dict[str, Any]]], count: int,
) -> float:  # fmt: skip
    """Microseconds of the server's processor time for each member that gets a message or change."""
    sender.request("heartbeat")
    sender.inbox.clear()
    cpu = cpu_seconds(server.pid)
    pending: list[int] = []
    events: collections.Counter[str] = collections.Counter()

    def received() -> int:
        events.update(event for event, _ in sender.inbox)
        sender.inbox.clear()
        return sum(events[name] for name in BROADCASTS)

    def answered() -> None:
        assert sender.reply(pending.pop(0)).get("success") is not False
        received()

    def has_all() -> bool:
        sender.request("heartbeat")
        return received() >= count

    for number in paced(count, options.rate):
        pending.append(sender.emit_with_id(*command(number)))
        while len(pending) > 20:
            answered()
    while pending:
        answered()
    # The sender is a member too.
    eventually(has_all, "all came back")
    # The log is moved and the journal emptied behind the acknowledgement.
    time.sleep(2)
    return (cpu_seconds(server.pid) - cpu) * 1e6 / (count * (options.members + 1))
