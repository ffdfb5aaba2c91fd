"""The executable as an operator calls it."""

import subprocess
from pathlib import Path
from typing import Mapping

from support.deadline import TIMEOUT_SECONDS
from support.server import binary, clean_environment


def run(directory: Path, *arguments: str, env: Mapping[str, str] | None = None, **options) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end, in a directory and with an environment of its own."""
    return subprocess.run(
        [str(binary()), *arguments],
        env=clean_environment(env or {}),
        cwd=directory,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=2 * TIMEOUT_SECONDS,
        **options,
    )
