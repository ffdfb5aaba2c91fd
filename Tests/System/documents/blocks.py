"""The code blocks of the repository's documents."""

import re
from dataclasses import dataclass
from pathlib import Path

from support.server import ROOT

# Where the documents' server is.
DOCUMENTED = "localhost:5004"

_FENCE = re.compile(r"^(\s*)(```+|~~~+)\s*(\w*)")
_GENERATED = {".build", ".venv", "artifacts", "node_modules", "__pycache__"}


@dataclass(frozen=True)
class Block:
    page: str
    heading: str
    """Counts the blocks under one heading."""
    number: int
    language: str
    text: str

    @property
    def name(self) -> str:
        return f"{self.page} › {self.heading}" + (f" ({self.number})" if self.number > 1 else "")


def pages() -> list[Path]:
    found = (page for page in ROOT.rglob("*.md") if not _GENERATED & set(page.relative_to(ROOT).parts))
    return sorted(found)


def blocks_of(page: Path) -> list[Block]:
    blocks: list[Block] = []
    heading, fence, lines, language = "", None, [], ""
    for line in page.read_text().splitlines():
        mark = _FENCE.match(line)
        if fence is None and mark:
            fence, lines, language = mark, [], mark[3]
        elif fence is not None and mark and mark[2].startswith(fence[2]) and not mark[3]:
            name = str(page.relative_to(ROOT))
            number = 1 + sum(block.heading == heading for block in blocks)
            blocks.append(Block(name, heading, number, language, "\n".join(lines) + "\n"))
            fence = None
        elif fence is not None:
            lines.append(line.removeprefix(fence[1]))
        elif line.startswith("#"):
            heading = line.lstrip("#").strip()
    assert fence is None, f"{page}: a code block does not end"
    return blocks


ALL = {block.name: block for page in pages() for block in blocks_of(page)}
