"""What a transition of presence costs in each process, and how long watchers wait: scripts/presence-figures, over two instances."""

import json
import os
import subprocess

from support.server import ROOT, binary, die_with_parent

from benchmarks.fanout import Plan, Runs

# The processes in the order of the figure's options.
PROCESSES = ("instance-1", "instance-2", "redis")


def presence(plan: Plan) -> Runs:
    """Ten thousand users that come and go, and a thousand that watch a thousand; fewer where little time is given."""
    scale = max(1, round(4 / plan.seconds))
    environment = {**os.environ, "CHAT_SERVICE_BINARY": str(binary()), "SCALE": str(scale), "PORT_BASE": "5240"}
    done = subprocess.run(
        [str(ROOT / "scripts/presence-figures"), "churn", "watch"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment, preexec_fn=die_with_parent,
    )  # fmt: skip
    return {report["scenario"]: [report] for report in map(json.loads, done.stdout.splitlines())}
