"""A deployment for operators: one instance, and two that share MongoDB and Redis."""

import os
import pathlib

import pytest

from operating import ENVIRONMENT, Operator
from support.browser import chromium
from support.fleet import Fleet, make_fleet
from support.server import ROOT, Server
from support.shared import room

__all__ = ["chromium", "make_fleet", "room"]


@pytest.fixture(params=["one instance", "two instances"])
def servers(request, make_server, make_fleet) -> list[Server]:
    """The servers of a deployment, which a test has to itself."""
    if request.param == "one instance":
        return [make_server(ENVIRONMENT | {"INSTANCE_ID": "instance-1"})]
    return make_fleet(ENVIRONMENT).servers


@pytest.fixture
def pair(make_fleet) -> Fleet:
    """Two instances, which a test has to itself."""
    return make_fleet(ENVIRONMENT)


@pytest.fixture
def operator(servers) -> Operator:
    """Asks the first instance."""
    return Operator(servers[0])


@pytest.fixture(scope="session")
def artifacts() -> pathlib.Path:
    folder = pathlib.Path(os.environ.get("ARTIFACTS", ROOT / "artifacts"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
