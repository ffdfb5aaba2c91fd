"""Fleets: instances on MongoDB and Redis. A server that is missing is a failure: nothing here skips."""

from pathlib import Path
from typing import Callable, Iterator

import pytest

from support.fleet import Fleet
from support.shared import room

__all__ = ["room"]

MakeFleet = Callable[..., Fleet]

_fleets: pytest.StashKey[list[Fleet]] = pytest.StashKey()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """Puts the instances' logs beside the failure of a test that used them."""
    report = yield
    if report.failed and call.when == "call":
        shared = item.funcargs.get("fleet") if isinstance(item, pytest.Function) else None
        for fleet in item.stash.get(_fleets, []) + ([shared] if isinstance(shared, Fleet) else []):
            for server in fleet.servers:
                report.sections.append((f"log of {server.env['INSTANCE_ID']}", server.log_tail(40)))
    return report


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Two instances that tests share; each uses rooms of its own (`room`) and disturbs nobody."""
    fleet = Fleet(tmp_path_factory.mktemp("fleet"))
    yield fleet
    fleet.stop()


@pytest.fixture
def make_fleet(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[MakeFleet]:
    """Makes fleets of a test's own, to be disturbed: `make_fleet({"SHUTDOWN_GRACE_MS": "500"}, instances=3)`.

    `before` is called with the fleet while its servers run and its instances do not yet.
    """
    fleets: list[Fleet] = []
    request.node.stash[_fleets] = fleets

    def make(*arguments, before: Callable[[Fleet], None] | None = None, **options) -> Fleet:
        fleet = Fleet(tmp_path / f"fleet-{len(fleets) + 1}", *arguments, start=False, **options)
        fleets.append(fleet)
        return fleet.start(before)

    yield make
    for fleet in fleets:
        fleet.stop()
