"""Notes every test that had to be run again, for `scripts/test`, which allows a few over all its processes."""

import os

import pytest


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    file = os.environ.get("RERUNS_FILE")
    if file and report.outcome == "rerun":
        # One write to a file opened for appending: two processes do not get into each other's lines.
        with open(file, "a") as log:
            log.write(f"{report.nodeid}\n")
