"""What a run says at its end: figures, and the promises that broke, with their evidence."""

from collections import Counter, defaultdict
from dataclasses import asdict, is_dataclass
from typing import Any

from chaos.history import History
from chaos.judge import Violation, refusals
from chaos.judge.evidence import messages

# Violations of one promise that are shown with their evidence.
MOST_SHOWN = 3
# A step to rest that takes longer is shown with what it waited for.
LATE_SECONDS = 8


def figures(history: History) -> str:
    acked = [each for each in history.attempts if each.outcome == "acked"]
    refused = Counter(each.code for each in history.attempts if each.outcome == "refused")
    outcomes = Counter(each.outcome for each in history.attempts)
    faults = Counter(each.kind for each in history.disturbances if each.kind != "busy_machine")
    busy = sum((each.ended_at or 0) - each.began_at for each in history.disturbances if each.kind == "busy_machine")
    lines = [
        f"{len(messages(history))} messages stored, {len(history.attempts)} attempts: {_counts(outcomes)}",
        f"{len(history.changes)} attempts to change messages: {_counts(Counter(each.outcome for each in history.changes))}",
        f"refused: {_counts(refused)}; without a fault of the store: {_refused_with_a_store(history)}",
        f"acknowledged after: {_spread([(each.ended_at or 0) - each.sent_at for each in acked])}",
        f"seen after the acknowledgement: {_spread(_delays(history))}",
        f"{len(history.memberships)} memberships, {sum(each.is_recovered for each in history.memberships)} of them recovered, "
        f"{len(history.connections)} connections, {len(history.final.events)} events",
        f"{faults.total()} faults: {_counts(faults)}; the machine was busy for {busy:.1f} s",
        f"ready after: {history.final.ready_after}",
        f"at rest after: {history.final.rest_after}",
        *(f"late: {what}: {history.final.last_left.get(what)}" for what, after in _steps(history) if after > LATE_SECONDS),
    ]
    return "\n".join(lines)


def _steps(history: History) -> list[tuple[str, float]]:
    """How long each step to rest took after the one before."""
    steps, before = [], 0.0
    for what, after in history.final.rest_after.items():
        if after is not None:
            steps.append((what, after - before))
            before = after
    return steps


def _refused_with_a_store(history: History) -> int:
    """Messages refused while every instance had its store: another instance was killed or paused."""
    return len({each.client_id for each in refusals.with_a_store(history)})


def _delays(history: History) -> list[float]:
    """Seconds from an acknowledgement until each member that was there saw the message; 0 for those before."""
    acked_at = {each.message_id: each.ended_at for each in history.attempts if each.outcome == "acked" and not each.is_duplicate}
    return [
        max(0.0, at - acked_at[id])
        for membership in history.memberships
        for _, id, _, at in membership.seen
        if acked_at.get(id) is not None and membership.joined_at < acked_at[id]
    ]


def _spread(seconds: list[float]) -> str:
    if not seconds:
        return "none"
    ordered = sorted(seconds)
    at = lambda part: f"{ordered[min(len(ordered) - 1, int(part * len(ordered)))] * 1000:.0f} ms"
    return f"median {at(0.5)}, 99 % {at(0.99)}, most {at(1)}"


def _counts(counter: Counter) -> str:
    return ", ".join(f"{count} {name}" for name, count in counter.most_common()) or "none"


def verdict(history: History, violations: list[Violation]) -> str:
    if not violations:
        return "every promise was kept"
    by_promise: dict[str, list[Violation]] = defaultdict(list)
    for each in violations:
        by_promise[each.promise].append(each)
    lines = [f"seed {history.seed}: {len(by_promise)} promises were broken"]
    for promise, broken in by_promise.items():
        lines.append(f"\n{promise}: {len(broken)} times")
        for each in broken[:MOST_SHOWN]:
            lines.append(f"  {each.what}")
            lines += [f"    {_brief(piece)}" for piece in each.evidence]
            lines += [f"    fault: {fault}" for fault in _faults_near(history, each)]
    return "\n".join(lines)


def _brief(piece: Any) -> str:
    text = str(asdict(piece)) if is_dataclass(piece) and not isinstance(piece, type) else str(piece)
    return text if len(text) < 4000 else text[:2000] + " … " + text[-1500:]


def _faults_near(history: History, violation: Violation) -> list[str]:
    """Faults within 20 s before the first time that the evidence names."""
    names = ("sent_at", "asked_at", "at", "closed_at")
    times = [at for piece in violation.evidence for name in names if (at := getattr(piece, name, None))]
    if not times:
        return []
    moment = min(times)
    return [
        f"{each.kind} {'' if each.instance is None else each.instance} {each.began_at:.1f} to {each.ended_at or 0:.1f}"
        for each in history.disturbances
        if each.began_at - 2 <= moment <= (each.ended_at or moment) + 20
    ]
