import pytest

from support.fleet import Fleet, fleet, make_fleet
from support.server import Server
from support.shared import room, shared, wire

__all__ = ["fleet", "make_fleet", "room", "shared", "wire"]


@pytest.fixture(scope="module", params=["one instance", "two instances"])
def pair(request, tmp_path_factory):
    """Two instances, the second that of the user whom it is about, with what the module's `ENVIRONMENT` says; they may be the same."""
    directory = tmp_path_factory.mktemp("pair")
    environment = request.module.ENVIRONMENT
    if request.param == "one instance":
        server = Server(directory, environment)
        server.start()
        yield server, server
        server.stop()
    else:
        fleet = Fleet(directory, environment)
        yield tuple(fleet.servers)
        fleet.stop()
