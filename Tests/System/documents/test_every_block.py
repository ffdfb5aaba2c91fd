"""Every code block of the documents does what it says: each is run here, or named with what checks it otherwise."""

import ast
from pathlib import Path

from blocks import ALL, pages
from support.server import ROOT

# Blocks that are not run whole, and why. `test_the_commands_named_are_there` looks whether they could be.
CHECKED_OTHERWISE = {
    "README.md › Two commands": "they build in release and run this very test",
    "CONTRIBUTING.md › Build and test": "they build, and take minutes",
}


def run_here() -> set[str]:
    """The blocks that tests of this folder take by name."""
    tree = [ast.parse(file.read_text()) for file in Path(__file__).parent.glob("test_*.py") if file.name != Path(__file__).name]
    calls = (node for module in tree for node in ast.walk(module) if isinstance(node, ast.Subscript))
    return {
        call.slice.value
        for call in calls
        if isinstance(call.value, ast.Name) and call.value.id == "ALL" and isinstance(call.slice, ast.Constant)
    }


def test_every_block_has_a_check():
    assert len(ALL) >= 10 and ROOT / "README.md" in pages()
    assert set(ALL) == run_here()


def test_blocks_that_are_not_run_whole_exist_with_a_reason():
    assert set(CHECKED_OTHERWISE) <= run_here() and all(CHECKED_OTHERWISE.values())
