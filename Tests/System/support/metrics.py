"""What a server says of itself at /metrics."""

import re


def metric(server, name: str) -> float:
    """A sample without labels, or with those that `name` ends in."""
    found = re.search(rf"^{re.escape(name)} (\S+)$", server.get("/metrics").text, re.MULTILINE)
    assert found, f"no metric {name}"
    return float(found[1])
