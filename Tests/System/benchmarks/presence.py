"""What a transition of presence costs in each process, and how long watchers wait: scripts/presence-figures."""

import json
import os
import subprocess

from support.server import ROOT, binary, cluster_ports, die_with_parent

from benchmarks.fanout import Plan, Runs


def presence(plan: Plan) -> Runs:
    """Ten thousand users that come and go, and a thousand that watch a thousand; fewer where little time is given."""
    scale = max(1, round(4 / plan.seconds))
    environment = {**os.environ, "CHAT_SERVICE_BINARY": str(binary()), "SCALE": str(scale), "PORT_BASE": str(cluster_ports())}
    done = subprocess.run(
        [str(ROOT / "scripts/presence-figures"), "churn", "watch"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment, preexec_fn=die_with_parent,
    )  # fmt: skip
    runs = {report["scenario"]: [report] for report in map(json.loads, done.stdout.splitlines())}
    if set(runs) != {"churn", "watch"}:
        raise SystemExit("scripts/bench-all: scripts/presence-figures did not report both churn and watch")
    return runs
