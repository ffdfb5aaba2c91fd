"""docs/performance.md, its plots and the README's table, made from the results."""

import re
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import Any

from support.server import ROOT

from benchmarks import plots, tables
from benchmarks.fanout import LIMIT_MS
from benchmarks.programs import Run

PAGE, README, IMAGES = ROOT / "docs/performance.md", ROOT / "README.md", ROOT / "docs/images"


def write_pages(results: dict[str, Any]) -> None:
    for path, content in made(results).items():
        path.write_text(content)


def made(results: dict[str, Any]) -> dict[Path, str]:
    """What the results make of each file. Prose between the tables stays as it is."""
    figures = results["figures"]
    page = filled(PAGE.read_text(), "machine", tables.machine(results))
    for name, make in tables.TABLES.items():
        page = filled(page, name, make(figures))
    return {
        PAGE: page,
        README: filled(README.read_text(), "summary", tables.summary(figures)),
        IMAGES / "performance-cpu.svg": cost_of_floor(figures),
        IMAGES / "performance-rates.svg": latency_over_rate(figures),
        IMAGES / "performance-history.svg": history_rates(figures),
    }


def filled(page: str, name: str, content: str) -> str:
    """Puts a table between its marks."""
    start, end = f"<!-- scripts/bench-all: {name} -->", f"<!-- end of {name} -->"
    if page.count(start) != 1 or page.count(end) != 1:
        raise ValueError(f"the page needs {start} and {end} once")
    return re.sub(f"{re.escape(start)}.*{re.escape(end)}", lambda _: f"{start}\n{content}\n{end}", page, flags=re.DOTALL)


def bar(series: str, runs: list[Run], reading: tables.Reading, unit: float = 1) -> plots.Bar:
    values = [reading(run) / unit for run in runs]
    return plots.Bar(series, median(values), min(values), max(values))


def cost_of_floor(figures: tables.Figures) -> str:
    """Each kind of load in multiples of the floor's median, so that they fit on one scale."""
    groups = []
    for name, label in (("large-room", "one room of 1,000"), ("small-rooms", "500 rooms of 10"), ("quiet", "100 messages/s")):
        runs = figures[name]["runs"]
        unit = tables.middle(runs["floor"], tables.cpu)
        groups.append((label, [bar(series, runs[series], tables.cpu, unit) for series in tables.SIDES]))
    return plots.bars("CPU of a delivery", "multiples of the floor's median; lines are the range of the runs", groups, mark=1)


def latency_over_rate(figures: tables.Figures) -> str:
    drawn = []
    for series in tables.SIDES:
        found: dict[float, list[float]] = defaultdict(list)
        for run in figures["highest-rate"]["runs"][series]:
            found[10 * run["rate"]].append(run["latencyMs"]["p99"])
        drawn.append(plots.Line(series, [(rate, median(values)) for rate, values in sorted(found.items())]))
    return plots.lines(
        "Latency over the rate: 500 rooms of 10, one core", "deliveries a second that were asked for", "p99 in ms", drawn, LIMIT_MS
    )


def history_rates(figures: tables.Figures) -> str:
    runs = figures["history"]["runs"]
    reading = tables.field("requestsPerSecond")
    groups = [
        (label, [bar(series, runs[f"{kind} {series}"], reading) for series in ("service", "node")])
        for kind, label in (("pages", "a page of 50 messages"), ("unchanged", "the newest page, unchanged"))
    ]
    return plots.bars("History over REST", "requests a second on one core", groups)
