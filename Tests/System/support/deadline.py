"""Waiting for a condition with a deadline; no test sleeps and hopes."""

import time
from typing import Callable, TypeVar

Result = TypeVar("Result")


def eventually(condition: Callable[[], Result], what: str, timeout: float = 10.0, every: float = 0.02) -> Result:
    """The first truthy value of `condition`; fails with `what` when none came within `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {timeout} s: {what}")
        time.sleep(every)
