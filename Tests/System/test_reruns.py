"""A test that is run again is counted, whichever process runs it."""

import os
import subprocess
import sys
from pathlib import Path

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
    assert log.read_text().splitlines() == ["test_it.py::test_flaky"] * 4
