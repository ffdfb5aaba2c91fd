"""SIGTERM while a server does not answer: the drain keeps its time limit."""

import time

import pytest

GRACE = {"SHUTDOWN_GRACE_MS": "500"}


@pytest.mark.parametrize("service", ["mongo", "redis"])
def test_a_server_that_stands_still_does_not_hold_up_the_end(make_fleet, make_chat, service):
    fleet = make_fleet(GRACE)
    one = fleet.servers[0]
    # More than there are threads for the store.
    chats = [make_chat(one, f"user-{n}") for n in range(12)]
    for number, chat in enumerate(chats):
        chat.join(f"room-{number}")
        chat.send(f"room-{number}", "before")
    still = getattr(fleet, service)
    still.pause()
    try:
        for number, chat in enumerate(chats):
            chat.emit("send_message", {"roomId": f"room-{number}", "message": "unanswered"})
        started = time.monotonic()
        # The promise is five seconds and the grace; the rest is for a busy machine.
        assert one.terminate(12) == 0
        assert '"message":"stopped"' in one.log_text()
        print(f"ended after {time.monotonic() - started:.1f} s")
    finally:
        still.unpause()
