"""The table of log lines in the operations document has every line that the sources write, with its level."""

import re

from support.server import ROOT

SOURCES = ROOT / "Sources"
LEVELS = "debug|info|notice|warning|error"
TEXT = r'"((?:[^"\\]|\\.)*)'
# A level of the logger, on an object: the doctor's findings and errors have a name, a code or nothing before the text.
CALL = re.compile(rf"[\w)\]]\s*\.({LEVELS})\(\s*{TEXT}")
# Lines whose text is an argument of the function that writes them: the file, the level, and where the texts are.
PASSED_ON = [
    ("Gateway/REST", "notice", re.compile(rf"access\.log\(\s*{TEXT}")),
    ("Gateway/REST/Roles/StandingRoutes.swift", "notice", re.compile(rf'case \.\w+: "((?:user|ban|mute|moderator) [^"]*)')),
    ("Gateway/REST/UserRoutes.swift", "info", re.compile(r'"(friendship [^"]*)')),
    ("ChatCore/Rooms/RoomQueries.swift", "warning", re.compile(rf"\bask\(\s*{TEXT}")),
    ("ChatService/CommandLine/StartBanner.swift", "warning", re.compile(r'let claim = "([^:"]*: )')),
]
ROW = re.compile(rf"^\| (`.+`) \| `({LEVELS})` \|")


def shown(text: str) -> str:
    """The text as the table has it: what follows from the moment is an ellipsis."""
    fixed = text.split("\\(")[0]
    return fixed if fixed == text and not fixed.endswith(": ") else fixed + "…"


def written() -> set[tuple[str, str]]:
    """Level and text of every line in the sources."""
    lines = set()
    for file in SOURCES.rglob("*.swift"):
        if "Doctor" not in file.parts:
            lines |= {(call[1], shown(call[2])) for call in CALL.finditer(file.read_text()) if not call[2].startswith("\\(")}
    for place, level, pattern in PASSED_ON:
        path = SOURCES / place
        texts = [text for file in ([path] if path.is_file() else sorted(path.rglob("*.swift"))) for text in pattern.findall(file.read_text())]
        assert texts, f"{place} passes no text on any more"
        lines |= {(level, shown(text)) for text in texts}
    return lines


def documented() -> list[tuple[str, str]]:
    section = (ROOT / "docs/operations.md").read_text().split("\n## Logs\n")[1].split("\n## ")[0]
    rows = [row for line in section.splitlines() if (row := ROW.match(line))]
    return [(row[2], text) for row in rows for text in re.findall(r"`([^`]+)`", row[1])]


def test_the_table_has_every_line_once():
    table = documented()
    assert len(written()) > 90
    assert written() - set(table) == set() and set(table) - written() == set()
    assert len(table) == len(set(table))
