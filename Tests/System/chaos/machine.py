"""Whether the machine keeps up: on one that does not, the store answers late, and a refusal says nothing about the service."""

import asyncio

from chaos.history import Disturbance, History

STEP_SECONDS = 0.1
# This process is one of many and does little; when it waits so long for a processor, so do the servers, several times in a row.
LATE_SECONDS = 0.25


async def watch_machine(history: History) -> None:
    """Records the spans in which this process got no processor in time as disturbances."""
    late: Disturbance | None = None
    while True:
        before = history.now()
        await asyncio.sleep(STEP_SECONDS)
        now = history.now()
        if now - before < STEP_SECONDS + LATE_SECONDS:
            continue
        if late is not None and late.ended_at is not None and before <= late.ended_at + 1:
            late.ended_at = now
        else:
            late = Disturbance("busy_machine", None, before, now)
            history.disturbances.append(late)
