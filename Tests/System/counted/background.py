"""What a server does by itself while a test counts: timers, renewals, sweeps."""

import time


class Background:
    """An allowance that grows with the time that a test takes, so that a slow machine breaks no bound."""

    def __init__(self, in_all: int, a_second: int):
        self._in_all, self._a_second = in_all, a_second
        self._begin = time.monotonic()

    def allowed(self) -> float:
        return self._in_all + self._a_second * (time.monotonic() - self._begin)
