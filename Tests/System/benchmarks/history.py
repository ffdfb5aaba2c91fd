"""Pages of 50 messages over REST, against a server on Node with the same messages in memory, and the floor that sends one page."""

import json
import shutil
import subprocess

import requests

from support.server import Server, die_with_parent

from benchmarks.fanout import Plan, Runs
from benchmarks.programs import SOURCES, Run, Target, floor, on_cores, program, service
from figures.load import cpu_seconds, member

COUNT = 2000
CONNECTIONS = 16
PATH = "/api/chat/history/history"
TEXT = "So much is said in an ordinary message of about a hundred characters, which is what most people write."


def history(plan: Plan) -> Runs:
    for tool in ("wrk", "node"):
        if not shutil.which(tool):
            raise SystemExit(f"scripts/bench-all: {tool} is needed: scripts/packages --install bench test")
    runs: Runs = {}
    for _ in range(plan.few_rounds):
        with service((plan.cores.server,), plan.directory) as (target, server):
            fill(server)
            messages, page = plan.directory / "messages.json", plan.directory / "page.json"
            messages.write_text(json.dumps(all_messages(server)))
            page.write_bytes(server.get(f"{PATH}?limit=50").content)
            measure(plan, runs, "service", target)
        with program(plan.cores.server, ["node", str(SOURCES / "history.mjs"), "{port}", str(messages)]) as target:
            measure(plan, runs, "node", target)
        with floor(plan.cores.server, str(page)) as target:
            runs.setdefault("pages floor", []).append(wrk(plan, target))
    return runs


def fill(server: Server) -> None:
    with member(server, "writer", "history") as writer:
        for begin in range(0, COUNT, 100):
            pending = [
                writer.emit_with_id("send_message", {"roomId": "history", "message": f"{TEXT} {number}"})
                for number in range(begin, begin + 100)
            ]
            for id in pending:
                assert writer.reply(id)["success"], "not stored"
            writer.inbox.clear()


def all_messages(server: Server) -> list[dict]:
    found: list[dict] = []
    while not found or found[0]["seq"] > 1:
        before = f"&before={found[0]['seq']}" if found else ""
        found = server.get(f"{PATH}?limit=100{before}").json()["messages"] + found
    assert len(found) == COUNT
    return found


def measure(plan: Plan, runs: Runs, name: str, target: Target) -> None:
    runs.setdefault(f"pages {name}", []).append(wrk(plan, target))
    tag = requests.get(f"http://127.0.0.1:{target.port}{PATH}?limit=50", timeout=10).headers["ETag"]
    runs.setdefault(f"unchanged {name}", []).append(wrk(plan, target, tag))


def wrk(plan: Plan, target: Target, *tag: str) -> Run:
    options = ["-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(plan.seconds))}s", "-s", str(SOURCES / "history.lua")]
    command = ["wrk", *options, f"http://127.0.0.1:{target.port}", "--", PATH, str(COUNT), *tag]
    before = cpu_seconds(target.pid)
    with on_cores(plan.cores.load):
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, preexec_fn=die_with_parent)
    used = cpu_seconds(target.pid) - before
    run: Run = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{")))
    assert run["failed"] == 0, f"{run['failed']} requests failed"
    return {
        **run, "requestsPerSecond": run["requests"] / run["seconds"], "cpuMicroseconds": used / run["requests"] * 1e6,
        "serverBusy": used / run["seconds"],
    }  # fmt: skip
