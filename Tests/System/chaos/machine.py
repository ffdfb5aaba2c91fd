"""Whether the machine keeps up: on one that does not, the store answers late, and a refusal says nothing about the service."""

import asyncio
import time

from pymongo.errors import PyMongoError

from chaos.deployment import Deployment
from chaos.history import Disturbance, History

STEP_SECONDS = 0.1
# This process is one of many and does little; when it waits so long for a processor, so do the servers, several times in a row.
LATE_SECONDS = 0.25
# A write of one document to the store, past the links and the service. Without a fault it takes some milliseconds.
STORE_STEP_SECONDS = 1.0
LATE_STORE_SECONDS = 1.0
STORE_FAULTS = {"kill_mongo", "pause_mongo"}


async def watch_machine(history: History) -> None:
    """Records the spans in which this process got no processor in time as disturbances."""
    while True:
        before = history.now()
        await asyncio.sleep(STEP_SECONDS)
        now = history.now()
        if now - before >= STEP_SECONDS + LATE_SECONDS:
            _note(history, before, now)


async def watch_store(history: History, deployment: Deployment) -> None:
    """Records the spans in which the store was late without a fault of its own."""
    while True:
        before = history.now()
        if await asyncio.to_thread(_seconds_of_a_write, deployment) >= LATE_STORE_SECONDS:
            if not any(each.kind in STORE_FAULTS and (each.ended_at or before) + 3 >= before for each in history.disturbances):
                _note(history, before, history.now())
        await asyncio.sleep(STORE_STEP_SECONDS)


def _seconds_of_a_write(deployment: Deployment) -> float:
    before = time.monotonic()
    try:
        with deployment.mongo.client() as client:
            client["probe"]["writes"].replace_one({"_id": 1}, {"_id": 1, "at": before}, upsert=True)
    except PyMongoError:
        pass
    return time.monotonic() - before


def _note(history: History, began: float, ended: float) -> None:
    """Spans that follow each other closely are one."""
    late = [each for each in history.disturbances if each.kind == "busy_machine"]
    if late and late[-1].ended_at is not None and began <= late[-1].ended_at + 1:
        late[-1].ended_at = max(ended, late[-1].ended_at)
    else:
        history.disturbances.append(Disturbance("busy_machine", None, began, ended))
