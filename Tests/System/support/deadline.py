"""Waiting for a condition with a deadline; no test sleeps and hopes."""

import time
from typing import Callable, TypeVar

Result = TypeVar("Result")

# How long what is certain to come may take, in seconds. A machine with ten times the work it can do is slow; only a test that
# fails waits this long.
TIMEOUT_SECONDS = 60.0


def eventually(
    condition: Callable[[], Result], what: str | Callable[[], str], timeout: float = TIMEOUT_SECONDS, every: float = 0.02
) -> Result:
    """The first truthy value of `condition`; fails with `what` when none came within `timeout` seconds. A function for `what` is
    called then, and can tell what is there instead.
    """
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {timeout} s: {what if isinstance(what, str) else what()}")
        time.sleep(every)
