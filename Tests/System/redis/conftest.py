"""Fleets over other deployments of Redis than one server. A server that is missing is a failure: nothing here skips."""

import pytest

from support.fleet import fleets_of_test, make_fleet
from support.shared import room

__all__ = ["make_fleet", "room"]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """Puts the instances' logs beside the failure of a test that used them."""
    report = yield
    if report.failed and call.when == "call":
        for fleet in item.stash.get(fleets_of_test, []):
            for server in fleet.servers:
                report.sections.append((f"log of {server.env['INSTANCE_ID']}", server.log_tail(40)))
    return report
