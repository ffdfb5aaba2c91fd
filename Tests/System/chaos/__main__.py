"""`scripts/soak --chaos`: runs seeds, judges each, and keeps what a failing one left."""

import argparse
import asyncio
import logging
import random
import shutil
import signal
import sys
import time
import traceback
import warnings
from pathlib import Path

from chaos.history import History
from chaos.judge import Violation, judge
from chaos.plan import KINDS, Plan, Size, make_plan
from chaos.report import figures, verdict
from chaos.run import Run


def main() -> int:
    # A connection to a broker that goes away while it is opened is dropped by its library.
    warnings.filterwarnings("ignore", "coroutine 'Connection.close'", RuntimeWarning)
    # It warns of each write to a connection that a fault has ended.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    # So that the servers are ended too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = _options()
    if options.judge:
        return _judge_again(Path(options.judge))
    failed = []
    first = options.seed if options.seed is not None else random.randrange(1 << 31)
    for seed in range(first, first + options.seeds):
        if run_seed(seed, _size(options), Path(options.directory) / f"seed-{seed}", options.keep):
            failed.append(seed)
    if failed:
        print(f"\nfailed: {', '.join(map(str, failed))}")
    return 1 if failed else 0


def run_seed(seed: int, size: Size, directory: Path, keep: bool = False) -> list[Violation]:
    """Runs and judges one seed. What it left stays in `directory` when a promise broke, or `keep` says so."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    plan = make_plan(seed, size)
    print(f"\nseed {seed}: {size.seconds:.0f} s, {len(plan.clients)} clients, {len(plan.faults)} faults", flush=True)
    started = time.monotonic()
    history, failure = asyncio.run(_run(plan, directory))
    history.save(directory / "history.json")
    violations = judge(history) + ([failure] if failure else [])
    report = f"{figures(history)}\n{time.monotonic() - started:.0f} s in all\n{verdict(history, violations)}"
    (directory / "report.txt").write_text(report + "\n")
    print(report, flush=True)
    if violations:
        print(f"histories and logs: {directory}")
    elif not keep:
        shutil.rmtree(directory)
    return violations


async def _run(plan: Plan, directory: Path) -> tuple[History, Violation | None]:
    """What happened; a checker that fails itself is a failed run too, with the history up to then."""
    this = Run(plan, directory)
    try:
        await this.run()
    except Exception:
        return this.history, Violation("the checker failed", [traceback.format_exc()], "the run comes to its end")
    return this.history, None


def _judge_again(directory: Path) -> int:
    history = History.load(directory / "history.json")
    violations = judge(history)
    print(figures(history))
    print(verdict(history, violations))
    return 1 if violations else 0


def _size(options: argparse.Namespace) -> Size:
    gap = options.gap
    return Size(
        seconds=options.minutes * 60,
        clients=options.clients,
        rooms=options.rooms,
        rate=options.rate,
        fault_gap=(gap / 3, gap * 5 / 3),
        kinds=tuple(options.only.split(",")) if options.only else (),
        sentinels=options.sentinels,
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/soak --chaos", description=__doc__)
    parser.add_argument("--seed", type=int, help="makes the same plan again (default: a random one)")
    parser.add_argument("--seeds", type=int, default=1, help="how many, from the first on (default 1)")
    parser.add_argument("--minutes", type=float, default=2, help="how long commands and faults go on (default 2)")
    parser.add_argument("--clients", type=int, default=18)
    parser.add_argument("--rooms", type=int, default=6)
    parser.add_argument("--rate", type=float, default=12, help="commands a second of all clients together (default 12)")
    parser.add_argument("--gap", type=float, default=6, help="seconds between two faults, on average (default 6)")
    parser.add_argument("--only", help=f"kinds of faults, with commas: {', '.join(kind.name for kind in KINDS)}")
    parser.add_argument("--sentinels", action="store_true", help="Redis is a primary and a replica, watched by sentinels")
    parser.add_argument("--directory", default="artifacts/chaos", help="for histories and logs (default artifacts/chaos)")
    parser.add_argument("--keep", action="store_true", help="keep them of runs without a fault too")
    parser.add_argument("--judge", metavar="DIRECTORY", help="judges a recorded run again")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
