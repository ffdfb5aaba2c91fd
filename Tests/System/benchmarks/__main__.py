"""The command line of scripts/bench-all."""

import argparse
import json
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any, Callable

from support.server import ROOT, binary

from benchmarks import fanout
from benchmarks.connections import connections
from benchmarks.fanout import Plan, Runs
from benchmarks.fleet import fleet
from benchmarks.history import history
from benchmarks.machine import machine
from benchmarks.page import write_pages
from benchmarks.presence import presence

RESULTS = ROOT / "docs/performance.json"
FIGURES: dict[str, Callable[[Plan], Runs]] = {
    "large-room": fanout.large_room,
    "small-rooms": fanout.small_rooms,
    "quiet": fanout.quiet,
    "highest-rate": fanout.highest_rate,
    "loops": fanout.loops,
    "connections": connections,
    "history": history,
    "presence": presence,
    "fleet": fleet,
}


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench-all", formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    names = ", ".join(FIGURES)
    parser.add_argument("--only", nargs="+", choices=FIGURES, default=list(FIGURES), metavar="NAME", help=f"of {names}")
    parser.add_argument("--seconds", type=float, default=3, help="length of one measured span")
    parser.add_argument("--rounds", type=int, default=7, help="alternated runs of floor and service; the medians are shown")
    parser.add_argument("--few-rounds", type=int, default=3, help="the same, of figures that take long")
    parser.add_argument("--directory", type=Path, default=Path("/var/tmp"), help="on the disk that is measured")
    parser.add_argument("--results", type=Path, default=RESULTS, help="the JSON file; figures not measured now stay in it")
    parser.add_argument("--page-only", action="store_true", help="measure nothing: make the pages from the results anew")
    return parser.parse_args()


def measure(options: argparse.Namespace, results: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory(prefix="bench-all-", dir=options.directory) as directory:
        # Before the results change, which are part of the repository.
        measured = {"commit": commit(), "measured": time.strftime("%Y-%m-%d"), "seconds": options.seconds}
        plan = Plan(options.seconds, options.rounds, min(options.few_rounds, options.rounds), Path(directory))
        for name in options.only:
            begin = time.monotonic()
            runs = FIGURES[name](plan)
            results["figures"][name] = {**measured, "runs": runs}
            print(f"{name}: {time.monotonic() - begin:.0f} s", file=sys.stderr, flush=True)
            options.results.write_text(json.dumps(results, indent=1) + "\n")


def commit() -> str:
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--exclude", "*"]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip() or "unknown"


def main() -> int:
    options = read_options()
    # The service's certificate is of its own making.
    warnings.filterwarnings("ignore", message="Unverified HTTPS request")
    results = json.loads(options.results.read_text()) if options.results.exists() else {"figures": {}}
    if not options.page_only:
        results["machine"] = machine(binary())
        measure(options, results)
    if options.results == RESULTS:
        write_pages(results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
