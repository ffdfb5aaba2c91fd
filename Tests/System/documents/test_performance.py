"""docs/performance.md, its plots and the README's table show the results."""

import json
import re
import subprocess
import xml.etree.ElementTree as ElementTree

from blocks import ALL
from benchmarks.__main__ import RESULTS
from benchmarks.page import made
from support.server import ROOT, binary


def test_the_pages_show_the_results():
    for path, content in made(json.loads(RESULTS.read_text())).items():
        assert path.read_text() == content, f"{path.relative_to(ROOT)}: run scripts/bench-all --page-only"
        if path.suffix == ".svg":
            ElementTree.fromstring(content)


def test_the_plots_shown_are_there():
    shown = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", (ROOT / "docs/performance.md").read_text())
    assert len(shown) == 3 and all((ROOT / "docs" / path).exists() for path in shown)


def test_the_commands_shown_are_understood():
    lines = [line.split("#")[0].split() for line in ALL["docs/performance.md › How it is measured"].text.splitlines()]
    environment = {"PATH": "/usr/bin:/bin", "CHAT_SERVICE_BINARY": str(binary())}
    for command in lines:
        if command[0] == "scripts/bench-all":
            done = subprocess.run([*command, "--help"], cwd=ROOT, env=environment, capture_output=True, text=True)
            assert done.returncode == 0 and "quiet" in done.stdout, done.stderr
            assert all(word in done.stdout for word in command[1:] if word.startswith("--"))
    install = next(command for command in lines if command[0] == "scripts/packages")
    listed = subprocess.run(["scripts/packages", *install[2:]], cwd=ROOT, capture_output=True, text=True)
    assert listed.returncode == 0 and "wrk" in listed.stdout.split()
