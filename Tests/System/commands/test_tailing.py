"""`tail`: messages and changes as they come."""

import json
import subprocess
from pathlib import Path
from typing import Callable, Iterator

import pytest
from managed import KEY
from support.deadline import TIMEOUT_SECONDS, eventually
from support.server import binary, clean_environment, die_with_parent


@pytest.fixture
def tail(managed) -> Iterator[Callable[..., Path]]:
    """Starts `tail`, and gives the file that it writes to."""
    running: list[subprocess.Popen] = []

    def start(*arguments: str) -> Path:
        output = managed.directory / f"tail-{len(running)}"
        with output.open("wb") as out, output.with_suffix(".errors").open("wb") as errors:
            process = subprocess.Popen(
                [str(binary()), "tail", *arguments, "--interval", "1s", "--server", managed.url],
                env=clean_environment({"SERVICE_API_KEY": KEY}),
                cwd=managed.directory,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=errors,
                preexec_fn=die_with_parent,
            )
        running.append(process)
        return output

    yield start
    for process in running:
        assert process.poll() is None, "tail ended by itself"
        process.terminate()
        process.wait(TIMEOUT_SECONDS)


def lines(output: Path) -> list[str]:
    return [line.split(" ", 1)[1] for line in output.read_text().splitlines()]


def test_a_room_is_followed_from_its_last_messages_on(managed, tail):
    ada = managed.join("ada", "general")
    for text in ("one", "two", "three"):
        ada.send("general", text)
    output = tail("--room", "general", "--last", "2")
    eventually(lambda: lines(output) == ["general #2 ada: two", "general #3 ada: three"], "the last two are shown")
    sent = ada.send("general", "four\n\x1b[31m")
    eventually(lambda: lines(output)[2:] == ["general #4 ada: four\\n\\u{1b}[31m"], "a new one is shown, without its escapes")
    ada.ask("edit_message", {"roomId": "general", "messageId": sent["messageId"], "message": "vier"})
    eventually(lambda: lines(output)[3:] == ["general #4 ada: (changed) vier"], "the change is shown")
    ada.ask("delete_message", {"roomId": "general", "messageId": sent["messageId"]})
    eventually(lambda: lines(output)[4:] == ["general #4 ada: (deleted)"], "the deletion is shown")


def test_a_user_is_followed_through_rooms(managed, tail):
    ada, ben = managed.join("ada", "general"), managed.join("ben", "general")
    ada.send("general", "before")
    output = tail("--user", "ada", "--json")
    # A line shows that it follows: what is written before it began is not shown.
    eventually(lambda: ada.send("general", "again") and output.read_text(), "it follows", every=0.5)
    ben.send("general", "from ben")
    ada.join("kitchen")
    ada.send("kitchen", "in a new room")
    found = eventually(lambda: [line for line in map(json.loads, output.read_text().splitlines()) if line["message"]["roomId"] == "kitchen"], "the new room is followed")
    assert [(line["type"], line["message"]["message"]) for line in found] == [("message", "in a new room")]
    shown = [json.loads(line)["message"] for line in output.read_text().splitlines()]
    assert {message["userId"] for message in shown} == {"ada"} and "before" not in {message["message"] for message in shown}


def test_a_server_that_comes_back_is_followed_on(managed, tail):
    ada = managed.join("ada", "general")
    ada.send("general", "one")
    output = tail("--room", "general")
    eventually(lambda: lines(output) == ["general #1 ada: one"], "it follows")
    managed.server.kill()
    eventually(lambda: "trying again" in output.with_suffix(".errors").read_text(), "the outage is reported")
    managed.server.restart()
    managed.join("ben", "general").send("general", "two")
    eventually(lambda: lines(output)[1:] == ["general #2 ben: two"], "what came after the outage")


def test_a_room_that_is_not_there_ends_it(managed):
    done = managed.command("tail", "--room", "general")
    assert done.returncode == 1 and "server refuses" in done.stderr
