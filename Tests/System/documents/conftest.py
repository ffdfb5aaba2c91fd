"""A place to run the documents' commands in: a server, and its program on the PATH."""

import os
import subprocess
from pathlib import Path

import pytest
from blocks import DOCUMENTED
from support.browser import chromium
from support.server import Server, binary, clean_environment

__all__ = ["chromium"]


class Shell:
    """Runs a block of shell as an operator of one server would, in a directory of its own."""

    def __init__(self, directory: Path, server: Server):
        self.server = server
        self.directory = directory
        (directory / "bin").mkdir(parents=True)
        (directory / "bin" / "chat-service").symlink_to(binary())

    def run(self, text: str, env: dict[str, str] = {}) -> subprocess.CompletedProcess[str]:
        text = text.replace(DOCUMENTED, f"127.0.0.1:{self.server.port}")
        environment = clean_environment(self.server.env | env)
        environment["PATH"] = f"{self.directory / 'bin'}{os.pathsep}{environment['PATH']}"
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", text],
            cwd=self.directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )


@pytest.fixture
def shell(server: Server, tmp_path: Path) -> Shell:
    return Shell(tmp_path / "operator", server)
