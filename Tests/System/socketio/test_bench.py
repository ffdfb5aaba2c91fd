"""`chat-service bench` counts the deliveries owed to each member, over every transport."""

import json
import subprocess

import pytest
from support.server import binary, clean_environment


def bench(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(binary()), "bench", "--url", url, *arguments],
        env=clean_environment({}), capture_output=True, text=True, timeout=120,
    )  # fmt: skip


@pytest.mark.parametrize("transport", ["websocket", "socketio", "polling"])
def test_everybody_gets_everything_once_and_in_order(shared, transport):
    run = bench(
        shared.url, "--transport", transport, "--clients", "60", "--rooms", "6", "--rate", "60", "--seconds", "3"
    )
    assert run.returncode == 0, run.stderr
    report = json.loads(run.stdout)
    assert report["transport"] == transport
    assert (report["sent"], report["owed"], report["delivered"]) == (180, 1800, 1800)
    assert report["missing"] == report["repeated"] == report["outOfOrder"] == report["refused"] == 0
    assert 0 < report["p50ms"] <= report["p99ms"] <= report["maxMs"]
    assert "delivered" in run.stderr


def test_in_a_closed_loop_each_member_sends_when_its_last_message_came_back(shared):
    run = bench(shared.url, "--clients", "6", "--rooms", "2", "--rate", "closed", "--seconds", "1")
    assert run.returncode == 0, run.stderr
    report = json.loads(run.stdout)
    # More than the first message of each, and each to the three members of its room.
    assert report["sent"] > 6 and report["delivered"] == report["owed"] == 3 * report["sent"]


def test_refusals_are_reported(make_server):
    server = make_server({"RATE_LIMIT_MESSAGES": "1"})
    run = bench(server.url, "--transport", "polling", "--clients", "2", "--rooms", "1", "--rate", "50", "--seconds", "1")
    report = json.loads(run.stdout)
    assert run.returncode == 1 and report["refused"] > 0 and report["missing"] > 0


@pytest.mark.parametrize(
    "arguments", [["--transport", "pigeon"], ["--clients", "0"], ["--rooms", "200"], ["--url", "ftp://x"], ["--rate"], ["--rate", "fast"]]
)
def test_bad_options_are_named(shared, arguments):
    run = bench(shared.url, *arguments)
    assert run.returncode == 64 and arguments[0].lstrip("-")[:4] in run.stderr
