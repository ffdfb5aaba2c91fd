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


def functions(*names: str) -> list[str]:
    """These functions of `scripts/test`."""
    parts = (ROOT / "scripts" / "test").read_text().split("\n\n")
    return [part for part in parts if any(f"\n{name}() {{" in f"\n{part}" for name in names)]


RUN = """\
◇ Test run started.
✘ Test aSlowAnswer() recorded an issue at LinkTests.swift:12:6: Caught error: timed out
✘ Test aSlowAnswer() failed after 2.035 seconds with 1 issue.
✘ Test eachKind(_:) with 3 test cases failed after 1.2 seconds with 2 issues.
✔ Test anAnswer() passed after 0.1 seconds.
"""
END = "✘ Test run with 576 tests in 90 suites failed after 91.165 seconds with 3 issues.\n"


@pytest.mark.parametrize(
    "first, second, code, counted",
    [
        ("✔ Test run with 576 tests in 90 suites passed after 80.5 seconds.\n", None, 0, []),
        (RUN + END, 0, 0, ["576", "unit::aSlowAnswer", "unit::eachKind"]),
        (RUN + END, 1, 1, ["576", "unit::aSlowAnswer", "unit::eachKind"]),
        ("✔ Test run with 0 tests in 0 suites passed after 0.1 seconds.\n", None, 1, []),
        # It crashed, or failed outside of a test.
        (RUN, None, 1, []),
        (END, None, 1, []),
    ],
    ids=["passed", "passed again", "failed again", "nothing ran", "crashed", "failed without a test"],
)
def test_a_failed_unit_test_of_a_server_runs_once_more(tmp_path: Path, first, second, code, counted):
    (tmp_path / "first").write_text(first)
    swift = tmp_path / "swift"
    swift.write_text(f"""#!/bin/bash
echo "$5" >>{tmp_path}/filters
if [ "$(wc -l <{tmp_path}/filters)" -gt 1 ]; then exit {second}; fi
cat {tmp_path}/first
! grep -q ✘ {tmp_path}/first
""")
    swift.chmod(0o755)
    script = "\n".join(["set -uo pipefail", *functions("unit_tests_with_servers", "unit_tests"), "unit_tests_with_servers LinkTests"])
    env = os.environ | {"RERUNS_FILE": str(tmp_path / "reruns"), "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", script], env=env, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    filters = ["LinkTests"] if second is None else ["LinkTests", r"[./](aSlowAnswer|eachKind)\("]
    assert (tmp_path / "filters").read_text().splitlines() == filters
    reruns = tmp_path / "reruns"
    assert (reruns.read_text().splitlines() if reruns.exists() else []) == counted


@pytest.mark.parametrize("tests, most", [((1, 0, 0), 1), ((300, 150, 50), 1), ((300, 150, 51), 2), ((1250, 455, 278), 4)])
def test_one_rerun_is_allowed_per_500_tests(tmp_path: Path, tests: tuple[int, ...], most: int):
    rules = functions("reruns", "most_reruns", "few_reruns")
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
