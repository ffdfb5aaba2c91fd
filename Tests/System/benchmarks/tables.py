"""The tables of docs/performance.md and of the README, from the results."""

from statistics import median
from typing import Any, Callable, Sequence

from benchmarks.fanout import LIMIT_MS, highest
from benchmarks.programs import Run

SIDES, KINDS = ("service", "floor"), ("raw", "floor")
Figures = dict[str, Any]
Reading = Callable[[Run], float]

# Measured on 28 November 2026 on a Xeon of 2.5 GHz, storing nothing, divided by what a bare loop had in the same runs;
# memory in bytes.
PEERS = {
    "large-room": ("14 ×", "0.9 ×"), "small-rooms": ("2.4 ×", "1.1 ×"), "highest": ("0.21 ×", "–"), "p50": ("1.7 ×", "1.0 ×"),
    "quiet-p50": ("2.2 ×", "1.2 ×"), "quiet-p99": ("2.3 ×", "0.6 ×"), "memory": ("15,600 B", "523 B"), "connect": ("12 ×", "1.1 ×"),
}  # fmt: skip


def cpu(run: Run) -> float:
    return run["cpuMicrosecondsPerDelivery"]


def rate(run: Run) -> float:
    return run["deliveriesPerSecond"]


def latency(share: str) -> Reading:
    return lambda run: run["latencyMs"][share]


def field(name: str) -> Reading:
    return lambda run: run[name]


def middle(runs: Sequence[Run], reading: Reading) -> float:
    return median(map(reading, runs))


def figure(value: float, unit: str = "") -> str:
    text = f"{value:,.0f}" if abs(value) >= 100 or value == 0 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
    return f"{text}{unit}" if unit == "/s" else f"{text} {unit}".strip()


def ratio(value: float, other: float, digits: int = 2) -> str:
    return f"{value / other:.{digits}f} ×" if other else "–"


def spread(runs: Sequence[Run], reading: Reading, unit: str = "") -> str:
    """The median, and the smallest and the largest run where they differ."""
    values = sorted(map(reading, runs))
    if len(values) == 1:
        return figure(values[0], unit)
    return f"{figure(median(values), unit)} ({figure(values[0])}–{figure(values[-1])})"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def beside_floor(name: str, runs: dict[str, list[Run]], reading: Reading, unit: str) -> list[str]:
    ours, bare = middle(runs["service"], reading), middle(runs["floor"], reading)
    return [name, spread(runs["service"], reading, unit), spread(runs["floor"], reading, unit), ratio(ours, bare)]


def messages(figures: Figures) -> str:
    rows: list[list[str]] = []
    for name, title in (
        ("large-room", "one room of 1,000, 8 messages on the way"), ("small-rooms", "500 rooms of 10, 2,000 messages/s"),
        ("quiet", "10 rooms of 10, 100 messages/s"),
    ):  # fmt: skip
        runs = figures[name]["runs"]
        rows.append(beside_floor(f"{title}: CPU a delivery", runs, cpu, "µs"))
        if name == "large-room":
            rows.append(beside_floor("the same: deliveries/s", runs, rate, ""))
        else:
            rows.append(beside_floor("the same: p50", runs, latency("p50"), "ms"))
            rows.append(beside_floor("the same: p99", runs, latency("p99"), "ms"))
        waited = [f"{middle(runs[series], field('serverWaited')):.0%}" for series in SIDES]
        rows.append(["the same: ready to run, but waiting for the core", *waited, ""])
    return table(["", "service", "floor", "service ÷ floor"], rows)


def rates(figures: Figures) -> str:
    runs = figures["highest-rate"]["runs"]
    ours, bare = (10 * highest(runs[name]) for name in SIDES)
    over = runs["overload"]
    refused = [{"share": run["refused"] / (run["owed"] / 10)} for run in over]
    lost = max(run["missing"] - 10 * run["refused"] for run in over)
    rows = [
        [f"highest rate with p99 ≤ {LIMIT_MS} ms: deliveries/s", figure(ours), figure(bare), ratio(ours, bare)],
        ["at twice that rate: deliveries/s", spread(over, rate), "", ""],
        ["the same: p50 of the accepted messages", spread(over, latency("p50"), "ms"), "", ""],
        ["the same: p99 of the accepted messages", spread(over, latency("p99"), "ms"), "", ""],
        ["the same: delay of the generator, p99", spread(over, lambda run: run["sendLagMs"]["p99"], "ms"), "", ""],
        ["the same: refused", f"{100 * middle(refused, field('share')):.0f} %", "", ""],
        ["the same: accepted and not delivered to all", figure(max(lost, 0)), "", ""],
        ["the same: clients that were closed", spread(over, field("closed")), "", ""],
    ]
    return table(["", "service", "floor", "service ÷ floor"], rows)


def loops(figures: Figures) -> str:
    runs = figures["loops"]["runs"]
    rows: list[list[str]] = []
    for name, title in (("rooms", "500 rooms of 10"), ("room", "one room of 1,000")):
        one, two = runs[f"{name}-1"], runs[f"{name}-2"]
        for what, reading, unit in (("deliveries/s", rate, ""), ("CPU a delivery", cpu, "µs")):
            compared = ratio(middle(two, reading), middle(one, reading))
            rows.append([f"{title}: {what}", spread(one, reading, unit), spread(two, reading, unit), compared])
        rows.append(["the same: rate of cores of their own, by that CPU", "", "", ratio(2 * middle(one, cpu), middle(two, cpu))])
        busy = [f"{middle(each, field('generatorBusy')):.0%}" for each in (one, two)]
        rows.append(["the same: processor time of the generator, of one core", *busy, ""])
    return table(["", "one loop", "two loops", "two ÷ one"], rows)


def connections(figures: Figures) -> str:
    runs = figures["connections"]["runs"]
    kinds = ("raw", "socketIO", "tls", "floor")
    rows = [
        ["memory of an idle member", *(spread(runs[kind], field("bytesPerConnection"), "B") for kind in kinds)],
        ["CPU of connecting and joining", *(spread(runs[kind], field("connectMicroseconds"), "µs") for kind in kinds)],
        ["connections", *(figure(runs[kind][0]["connections"]) for kind in kinds)],
    ]
    return table(["", "raw", "Socket.IO", "raw over TLS", "floor"], rows)


def history(figures: Figures) -> str:
    runs = figures["history"]["runs"]
    rows: list[list[str]] = []
    for kind, title in (("pages", "pages of 50"), ("unchanged", "the newest page, unchanged (304)")):
        ours, node = runs[f"{kind} service"], runs[f"{kind} node"]
        bare = runs.get(f"{kind} floor")
        for name, unit, key in (
            ("requests/s", "", "requestsPerSecond"), ("p99", "ms", "p99"), ("CPU a request", "µs", "cpuMicroseconds"),
        ):  # fmt: skip
            reading = field(key)
            pair = middle(ours, reading), middle(node, reading)
            better, worse = pair if key == "requestsPerSecond" else reversed(pair)
            floor = spread(bare, reading, unit) if bare else ""
            rows.append([f"{title}: {name}", spread(ours, reading, unit), spread(node, reading, unit), ratio(better, worse, 1), floor])
    return table(["", "service", "Node", "better by", "floor"], rows)


def presence(figures: Figures) -> str:
    runs = figures["presence"]["runs"]
    rows: list[list[str]] = []
    for churn in runs.get("churn", []):
        each = [churn[f"cpuMicrosecondsPerTransition.{number}"] for number in (1, 2, 3)]
        title = f"{churn['clients']:,} users connect and leave"
        rows.append([f"{title}: CPU of both instances, a transition", figure(each[0] + each[1], "µs")])
        rows.append(["the same: CPU of Redis", figure(each[2], "µs")])
    for watch in runs.get("watch", []):
        title = f"{watch['watchers']:,} watchers of {watch['clients']:,} users"
        delivered = f"{watch['delivered']:,} of {watch['owed']:,}"
        rows.append([f"{title}: announcements delivered, of those owed", delivered])
        rows.append(["the same: p50 and p99", f"{figure(watch['p50ms'])} and {figure(watch['p99ms'], 'ms')}"])
    return table(["", ""], rows)


def fleet(figures: Figures) -> str:
    runs = figures["fleet"]["runs"]
    kinds = ("fleet", "embedded", "floor")
    rows = [
        ["CPU of a message with its ten deliveries", *(spread(runs[kind], lambda run: 10 * cpu(run), "µs") for kind in kinds)],
        ["p50", *(spread(runs[kind], latency("p50"), "ms") for kind in kinds)],
        ["p99", *(spread(runs[kind], latency("p99"), "ms") for kind in kinds)],
    ]
    return table(["", "MongoDB and Redis", "embedded store", "floor"], rows)


def commands(figures: Figures) -> str:
    counted = figures["fleet"]["runs"]["commands"]

    def inserts(run: Run) -> float:
        return run["mongo"].get("insert messages", 0)

    readings: list[tuple[str, Reading]] = [
        ("MongoDB: inserts", inserts),
        ("MongoDB: other commands, behind the acknowledgement", lambda run: sum(run["mongo"].values()) - inserts(run)),
        ("Redis: commands", lambda run: sum(run["redis"].values())),
        ("Redis: round trips", field("redisWrites")),
    ]  # fmt: skip
    rows = [[name, *(figure(reading(run)) for run in counted)] for name, reading in readings]
    return table(["a message", *(run["messages"] for run in counted)], rows)


def machine(results: dict[str, Any]) -> str:
    found = results["machine"]
    measured = results["figures"].values()
    dates, commits = sorted({each["measured"] for each in measured}), sorted({each["commit"] for each in measured})
    kind = "a virtual machine with " if found["virtualMachine"] == "yes" else ""
    return "\n".join(
        [
            f"- **Machine:** {kind}{found['cores']} cores, {found['processor']}, {found['memory']}; "
            f"a load of {found['load']} before the first figure.",
            f"- **System:** {found['distribution']}, Linux {found['kernel']}.",
            f"- **Versions:** chat-service {found['service']}, Swift {found['swift']}, SQLite {found['sqlite']}, "
            f"Node {found['node']}, Redis {found['redis']}.",
            f"- **Measured:** {' to '.join([dates[0], dates[-1]][: len(dates)])}, commit {', '.join(commits)}.",
        ]
    )


def summary(figures: Figures) -> str:
    """The README's table."""
    large, small, quiet = (figures[name]["runs"] for name in ("large-room", "small-rooms", "quiet"))
    found, ramp = figures["connections"]["runs"], figures["highest-rate"]["runs"]
    memory, connect = field("bytesPerConnection"), field("connectMicroseconds")

    def row(title: str, ours: float, bare: float, unit: str, peers: str, has_ratio: bool = True) -> list[str]:
        compared = ratio(ours, bare) if has_ratio else ""
        return [title, figure(ours, unit), figure(bare, unit), compared, *PEERS[peers]]

    def of(title: str, runs: dict[str, list[Run]], reading: Reading, unit: str, peers: str) -> list[str]:
        return row(title, middle(runs["service"], reading), middle(runs["floor"], reading), unit, peers)

    rows = [
        of("CPU per delivery, one room of 1,000 members", large, cpu, "µs", "large-room"),
        of("CPU per delivery, 500 rooms of 10 members, 2,000 messages/s", small, cpu, "µs", "small-rooms"),
        row("highest rate in 500 rooms with p99 below 100 ms", *(10 * highest(ramp[each]) for each in SIDES), "/s", "highest"),
        of("median latency, 500 rooms, 2,000 messages/s", small, latency("p50"), "ms", "p50"),
        of("median latency at 100 messages/s", quiet, latency("p50"), "ms", "quiet-p50"),
        of("p99 latency at 100 messages/s", quiet, latency("p99"), "ms", "quiet-p99"),
        row("memory of an idle connection", *(middle(found[each], memory) for each in KINDS), "B", "memory", False),
        row("CPU of connecting and joining", *(middle(found[each], connect) for each in KINDS), "µs", "connect"),
    ]
    head = ["", "this service", "bare epoll loop", "this service ÷ loop", "Socket.IO on Node ÷ loop ¹", "uWebSockets ÷ loop ¹"]
    return table(head, rows)


TABLES: dict[str, Callable[[Figures], str]] = {
    "messages": messages, "rates": rates, "loops": loops, "connections": connections, "history": history, "presence": presence,
    "fleet": fleet, "commands": commands,
}  # fmt: skip
