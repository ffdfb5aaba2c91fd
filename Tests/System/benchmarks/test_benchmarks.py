"""The tools of scripts/bench-all: the load generator counts right, and tables and plots say what the runs say."""

import json
import re
import subprocess
import sys

import pytest

from support.server import ROOT

from benchmarks import plots
from benchmarks.fanout import highest
from benchmarks.page import filled
from benchmarks.programs import Cores, Target, chat_load, floor
from benchmarks.tables import figure, spread

ROOMS, MEMBERS = 3, 4
LOAD = {"connections": ROOMS * MEMBERS, "rooms": ROOMS, "warm_up": 0.1, "seconds": 0.5}


@pytest.fixture
def cores() -> Cores:
    return Cores.found()


@pytest.mark.parametrize("kind", [{"window": 4}, {"rate": 200}])
def test_every_copy_of_the_floor_is_counted(cores, kind):
    with floor(cores.server) as target:
        (run,) = chat_load(cores.load, target, **LOAD, **kind)
    assert run["owed"] > 0 and run["owed"] % MEMBERS == 0
    assert (run["missing"], run["repeated"], run["refused"], run["closed"]) == (0, 0, 0, 0)
    assert 0 < run["latencyMs"]["p50"] <= run["latencyMs"]["p99"] <= run["latencyMs"]["max"]


@pytest.mark.parametrize("framing", [{}, {"socket_io": True}])
def test_every_copy_of_the_service_is_counted(cores, server, framing):
    (run,) = chat_load(cores.load, Target(server.port, server.pid), **LOAD, **framing, window=4)
    assert run["owed"] > 0 and run["missing"] == run["repeated"] == run["refused"] == 0
    assert run["cpuMicrosecondsPerDelivery"] > 0


def test_refused_messages_are_counted_and_their_copies_missing(cores, make_server):
    server = make_server({"RATE_LIMIT_MESSAGES": "1", "MAX_CONNECTIONS_PER_USER": "0"})
    (run,) = chat_load(cores.load, Target(server.port, server.pid), **LOAD, rate=100, drain=0.5)
    assert run["refused"] > 0 and run["missing"] == run["refused"] * MEMBERS


def test_a_rate_that_does_not_hold_twice_is_the_last(cores):
    with floor(cores.server) as target:
        runs = chat_load(cores.load, target, **LOAD, rate="100,200,300", limit_ms=0)
    assert [run["rate"] for run in runs] == [100, 100]


def test_idle_connections_cost_memory(cores):
    with floor(cores.server) as target:
        (run,) = chat_load(cores.load, target, connections=500, rooms=50, idle=True, seconds=0.1)
    assert run["closed"] == 0 and run["connectMicroseconds"] > 0


def test_a_figure_is_measured_and_kept_beside_others(tmp_path, server):
    results = tmp_path / "results.json"
    results.write_text(json.dumps({"figures": {"large-room": "kept"}}))
    command = [sys.executable, "-m", "benchmarks", "--only", "quiet", "--seconds", "0.2", "--rounds", "1", "--results", str(results)]
    subprocess.run(command, check=True, cwd=ROOT / "Tests/System", timeout=300)
    found = json.loads(results.read_text())
    assert found["figures"]["large-room"] == "kept" and found["machine"]["kernel"]
    runs = found["figures"]["quiet"]["runs"]
    assert [len(runs[name]) for name in ("floor", "service")] == [1, 1]
    assert all(run[0]["owed"] > 0 for run in runs.values())


def test_the_highest_rate_is_the_median_of_the_rounds():
    rounds = [[(100, True), (200, True), (300, False)], [(90, True), (180, False), (180, True), (270, False)], [(80, False)]]
    runs = [{"rate": rate, "holds": holds, "search": False} for each in rounds for rate, holds in each]
    runs.insert(0, {"rate": 1000, "holds": True, "search": True})
    assert highest(runs) == 180


def test_a_table_is_put_between_its_marks_only():
    page = "before\n<!-- scripts/bench-all: a -->\nold\n<!-- end of a -->\nafter"
    assert filled(page, "a", "new") == page.replace("old", "new")
    with pytest.raises(ValueError):
        filled(page, "b", "new")


def test_numbers_have_as_many_digits_as_they_mean():
    assert [figure(value) for value in (12345.6, 123.4, 12.34, 1.234)] == ["12,346", "123", "12.3", "1.23"]
    runs = [{"v": 3.0}, {"v": 1.0}, {"v": 2.0}]
    assert spread(runs, lambda run: run["v"], "ms") == "2.00 ms (1.00–3.00)"


def test_a_bar_of_half_the_value_has_half_the_height():
    drawn = plots.bars("title", "unit", [("group", [plots.Bar("a", 8, 8, 8), plots.Bar("b", 4, 4, 4)])])
    colours = "|".join(plots.COLOURS)
    heights = [float(height) for height in re.findall(rf'height="([\d.]+)" fill="(?:{colours})"', drawn)]
    # After the squares of the legend.
    assert heights[2:] == [pytest.approx(2 * heights[3]), heights[3]]


def test_a_line_rises_with_the_logarithm():
    drawn = plots.lines("title", "across", "up", [plots.Line("a", [(1, 1), (2, 10), (3, 100)])], limit=100)
    heights = [float(y) for y in re.findall(r'<circle cx="[\d.]+" cy="([\d.]+)"', drawn)]
    assert heights[0] - heights[1] == pytest.approx(heights[1] - heights[2], abs=0.11)
