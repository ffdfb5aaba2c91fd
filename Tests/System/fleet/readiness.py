"""What an instance says of Redis."""

import re


def redis_state(server) -> tuple[str, str | None]:
    """The state in `/ready`, and the last error."""
    redis = server.get("/ready").json()["dependencies"]["redis"]
    return redis["state"], redis["lastError"]


def refusals(server) -> dict[str, float]:
    """How often Redis refused, by its code; without the codes that never came."""
    found = re.findall(r'^chat_redis_refusals_total{code="(\w+)"} (\S+)$', server.get("/metrics").text, re.M)
    return {code: float(count) for code, count in found if float(count)}


def metric(server, name: str) -> float:
    """A metric without labels."""
    found = re.search(rf"^{name} (\S+)$", server.get("/metrics").text, re.M)
    assert found, name
    return float(found[1])
