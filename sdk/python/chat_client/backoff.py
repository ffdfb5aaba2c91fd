"""How long to wait before the next attempt."""

import random


class Backoff:
    """Full jitter: each delay is uniform between 0 and a ceiling that doubles. All times are seconds."""

    BASE, SLOW_BASE, CEILING = 0.5, 5.0, 30.0

    def __init__(self) -> None:
        self.attempt = 0

    def reset(self) -> None:
        self.attempt = 0

    def next(self, slow: bool = False) -> float:
        base = self.SLOW_BASE if slow else self.BASE
        most = min(self.CEILING, base * 2 ** min(self.attempt, 10))
        self.attempt += 1
        return random.uniform(0, most) + (base / 2 if slow else 0)
