"""The JavaScript SDK's types, as TypeScript reads them in a project that has installed the package."""

import shutil
import subprocess
from pathlib import Path

import pytest

from support.deadline import TIMEOUT_SECONDS
from support.server import ROOT

PROGRAM = Path(__file__).parent / "typed_program.ts"
STRICT = ["--strict", "--noUncheckedIndexedAccess", "--exactOptionalPropertyTypes", "--noEmit", "--lib", "es2022,dom"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "chat-service-client").symlink_to(ROOT / "sdk" / "js")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    shutil.copy(PROGRAM, tmp_path)
    return tmp_path


@pytest.mark.parametrize("resolution", ["nodenext", "node16"])
def test_a_typed_program_compiles_and_mistakes_do_not(project, resolution):
    assert shutil.which("tsc"), "tsc is needed: scripts/packages --install test"
    command = ["tsc", *STRICT, "--module", resolution, "--moduleResolution", resolution, PROGRAM.name]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=TIMEOUT_SECONDS * 4)
    assert (done.returncode, done.stdout) == (0, "")
