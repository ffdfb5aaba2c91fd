"""`chat-service bench presence`, small: the faults and the load that its figures are made of."""

import json
import subprocess

import pytest

from support.deadline import TIMEOUT_SECONDS
from support.server import binary, clean_environment

BENCH = {
    "RATE_LIMIT_MESSAGES": "0",
    "RATE_LIMIT_CONNECTIONS": "0",
    "PRESENCE_AWAY_AFTER_MS": "0",
    "PRESENCE_GRACE_MS": "1500",
}


def bench(scenario, *arguments, timeout=120):
    run = subprocess.run(
        [str(binary()), "bench", "presence", scenario, "--grace-ms", BENCH["PRESENCE_GRACE_MS"], *map(str, arguments)],
        env=clean_environment({}), capture_output=True, text=True, timeout=timeout,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    report = json.loads(run.stdout)
    assert report["missing"] == report["unexpected"] == report["refused"] == report["wrongCounts"] == 0
    return report


def both(pair):
    return ("--url", pair.servers[0].url, "--other", pair.servers[1].url)


def test_users_of_a_killed_instance_are_announced_once_and_leave_no_key(make_pair):
    pair = make_pair(BENCH)
    report = bench(
        "crash", *both(pair), "--clients", 300, "--seconds", 1, "--kill", pair.servers[0].pid, "--redis", pair.redis.url
    )
    pair.servers[0].kill()
    assert (report["withinLimit"], report["leftKeys"]) == ("yes", 0)
    assert report["owed"] == report["delivered"] == 600 and report["maxMs"] < 15_000


def test_coming_and_leaving_leaves_no_wrong_count(make_pair):
    pair = make_pair(BENCH)
    report = bench("churn", *both(pair), "--clients", 400, "--seconds", 2, "--cpu", f"{pair.servers[0].pid},{pair.redis.process.pid}")
    assert report["owed"] == report["delivered"] == 800 and report["wrongCountsAtTheTop"] == 0
    each = [report[f"cpuMicrosecondsPerTransition.{number}"] for number in (1, 2)]
    assert each[0] > 0 and report["cpuMicrosecondsPerTransition"] == sum(each)


def test_every_watcher_receives_every_change_once(make_pair):
    report = bench("watch", *both(make_pair(BENCH)), "--clients", 40, "--watchers", 30, "--rate", 100, "--seconds", 3)
    assert report["owed"] == report["delivered"] == 30 * (40 + 300)


def test_reconnecting_within_the_grace_period_announces_nothing(make_pair):
    report = bench("flap", *both(make_pair(BENCH)), "--clients", 150, "--seconds", 1)
    assert (report["reconnects"], report["announced"]) == (450, 0)


def test_an_unexpected_announcement_is_found(make_server):
    """Against a server whose grace period is shorter than a reconnect takes, flapping is announced."""
    server = make_server(BENCH | {"PRESENCE_GRACE_MS": "0"})
    arguments = ["--url", server.url, "--clients", "50", "--seconds", "1", "--grace-ms", "0"]
    run = subprocess.run(
        [str(binary()), "bench", "presence", "flap", *arguments],
        env=clean_environment({}), capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert run.returncode == 1 and json.loads(run.stdout)["unexpected"] > 0


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["sing"],
        ["crash"],
        ["watch", "--clients", "1001"],
        ["churn", "--clients", "5000", "--watchers", "2"],
        ["churn", "--cpu", "1,x"],
        ["crash", "--other", "http://127.0.0.1:1", "--redis", "http://x"],
        ["flap", "--other"],
    ],
)
def test_bad_options_are_named(arguments):
    run = subprocess.run(
        [str(binary()), "bench", "presence", *arguments],
        env=clean_environment({}), capture_output=True, text=True, timeout=TIMEOUT_SECONDS,
    )  # fmt: skip
    assert run.returncode == 64 and "usage: chat-service bench presence" in run.stderr
