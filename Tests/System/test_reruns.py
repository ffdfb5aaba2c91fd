"""A test that is run again is counted, whichever process runs it, and `scripts/test` allows one per 500 tests."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.server import ROOT

FLAKY = """
from pathlib import Path

def test_flaky():
    runs = Path("runs")
    runs.write_text((runs.read_text() if runs.exists() else "") + "x")
    assert len(runs.read_text()) > 2

def test_sound():
    pass
"""


def test_reruns_are_counted(tmp_path: Path):
    log = tmp_path / "reruns"
    for number in (1, 2):
        directory = tmp_path / f"process-{number}"
        directory.mkdir()
        (directory / "test_it.py").write_text(FLAKY)
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "support.reruns", "--reruns", "2"]
        env = os.environ | {"RERUNS_FILE": str(log), "PYTHONPATH": str(Path(__file__).parent)}
        done = subprocess.run([*command, "--rootdir", "."], cwd=directory, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout
    assert log.read_text().splitlines() == (["test_it.py::test_flaky"] * 2 + ["2"]) * 2


@pytest.mark.parametrize("tests, most", [((1, 0, 0), 1), ((300, 150, 50), 1), ((300, 150, 51), 2), ((1250, 455, 278), 4)])
def test_one_rerun_is_allowed_per_500_tests(tmp_path: Path, tests: tuple[int, ...], most: int):
    rules = [part for part in (ROOT / "scripts" / "test").read_text().split("\n\n") if "reruns() {" in part]
    log = tmp_path / "reruns"

    def passes(reruns: int) -> bool:
        lines = [*(str(count) for count in tests), *(f"test_it.py::test_{number}" for number in range(reruns))]
        # Each was run twice more.
        log.write_text("".join(f"{line}\n" for line in [*lines, *lines[len(tests) :]]))
        script = "\n".join(["set -uo pipefail", "tests_per_rerun=500", *rules, "few_reruns"])
        done = subprocess.run(["bash", "-c", script], env=os.environ | {"RERUNS_FILE": str(log)}, capture_output=True)
        assert not done.stderr, done.stderr
        return done.returncode == 0

    assert passes(0) and passes(most) and not passes(most + 1)
