"""The diagrams of the architecture page show what is there."""

import re

from blocks import ALL
from support.server import ROOT


def test_the_targets_shown_are_targets():
    text = ALL["docs/architecture.md › Targets"].text
    manifest = (ROOT / "Package.swift").read_text()
    targets = set(re.findall(r'(?:library|\.target|\.executableTarget)\(\s*(?:name: )?"(\w+)"', manifest))
    shown = set(re.findall(r"\b[A-Z][a-zA-Z]*[a-z][A-Z][a-zA-Z]*\b|\b(?:Gateway|Engine|Identity|Workers|Crypto|Telemetry)\b", text))
    folders = {(parent, name) for parent, rest in re.findall(r"(Persistence|Messaging)((?:/\w+| · )+)", text) for name in re.findall(r"/(\w+)", rest)}
    assert len(folders) == 10 and all(parent + name in targets for parent, name in folders)
    names = shown - {name for _, name in folders}
    assert len(names) >= 12 and names <= targets, names - targets


def test_the_path_of_a_message_is_in_order():
    text = ALL["docs/architecture.md › The path of one message"].text
    steps = ["decoder", "home shard", "store", "acknowledge", "publish", "cache", "outbox", "other instances"]
    places = [text.index(step) for step in steps[:3]] + [text.rindex(step) for step in steps[3:]]
    assert places == sorted(places)
    page = (ROOT / "docs/architecture.md").read_text().lower()
    assert all(page.count(step) > 1 for step in ("decoder", "home shard", "store", "outbox"))
