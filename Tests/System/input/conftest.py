"""Whatever a client does, the others are served meanwhile and nothing of it stays."""

import pytest

from support.chat import Chat
from support.deadline import eventually
from support.process import descriptors, resident_bytes
from support.shared import room, shared, wire

__all__ = ["room", "shared", "wire"]

MAXIMUM_GROWTH = 32 << 20


@pytest.fixture(scope="module")
def bystander(shared):
    """A client that chats all the while and must not be disturbed."""
    # What the server opens once and keeps is opened now.
    assert shared.get("/ready").status_code == 200
    with Chat(shared.ws_url) as chat:
        chat.authenticate("bystander")
        chat.join("lobby")
        yield chat


@pytest.fixture(autouse=True)
def nothing_left_behind(shared, bystander):
    """Runs around each test; the test's connections are closed before the count."""
    _chat(bystander)
    held, resident = descriptors(shared.pid), resident_bytes(shared.pid)
    yield
    _chat(bystander)
    eventually(lambda: descriptors(shared.pid) <= held, f"no descriptor more than the {held} of before")
    growth = resident_bytes(shared.pid) - resident
    assert growth <= MAXIMUM_GROWTH, f"{growth >> 20} MiB more than before"


def _chat(bystander: Chat) -> None:
    seq = bystander.send("lobby", "undisturbed")["seq"]
    bystander.expect("new_message", lambda message: message["seq"] == seq)
