"""Notes for `scripts/test`, over all its processes: the tests that had to be run again, and how many tests there were."""

import os

import pytest


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.outcome == "rerun":
        _note(report.nodeid)


def pytest_sessionfinish(session: pytest.Session) -> None:
    _note(str(session.testscollected))


def _note(line: str) -> None:
    if file := os.environ.get("RERUNS_FILE"):
        # One write to a file opened for appending: two processes do not get into each other's lines.
        with open(file, "a") as log:
            log.write(f"{line}\n")
