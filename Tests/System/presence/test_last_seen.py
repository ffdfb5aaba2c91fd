"""When users were last seen moves while they are there and do something."""

from datetime import datetime

import pytest

from presence.conftest import KEY
from support.deadline import eventually


def seen(server, user: str) -> datetime:
    return datetime.fromisoformat(server.get(f"/api/presence?ids={user}", headers=KEY).json()[0]["lastSeen"])


@pytest.mark.parametrize("framing", ["event", "type"])
def test_a_heartbeat_moves_it_on_both_instances_and_in_redis(make_pair, make_chat, framing):
    pair = make_pair()
    alice = make_chat(pair.servers[0], "alice", framing=framing)
    stored = lambda: pair.keys.hget("user:presence:alice", "lastSeen")
    for server in pair.servers:
        eventually(lambda: pair.status(server, "alice") == "online", "alice is known")
    before, kept = seen(pair.servers[0], "alice"), stored()

    def moves_everywhere() -> bool:
        alice.ask("user_activity")
        return all(seen(server, "alice") > before for server in pair.servers) and stored() > kept

    eventually(moves_everywhere, "what alice does is seen everywhere")
    # A watcher receives nothing of it.
    watcher = make_chat(pair.servers[1], "watcher")
    watcher.ask("subscribe_presence", {"userIds": ["alice"]})
    last = seen(pair.servers[1], "alice")

    def moves_on() -> bool:
        alice.ask("user_activity")
        return seen(pair.servers[1], "alice") > last

    eventually(moves_on, "it moves on")
    watcher.settle()
    assert watcher.events("user_status_change") == []


def test_any_frame_moves_it_here(make_server, make_chat, room):
    server = make_server({"SERVICE_API_KEY": KEY["X-Service-Key"]})
    alice = make_chat(server, "alice")
    alice.join(room)
    before = seen(server, "alice")

    def moves() -> bool:
        alice.send(room, "here I am")
        return seen(server, "alice") > before

    eventually(moves, "sending is being there")


def test_the_hidden_leave_no_trace(make_server, make_chat):
    server = make_server({"SERVICE_API_KEY": KEY["X-Service-Key"]})
    alice, bob = make_chat(server, "alice"), make_chat(server, "bob")
    alice.ask("set_status", {"status": "invisible"})
    hidden, before = seen(server, "alice"), seen(server, "bob")

    def others_move() -> bool:
        for chat in (alice, bob):
            chat.ask("user_activity")
        return seen(server, "bob") > before

    eventually(others_move, "visible users get a newer time")
    assert seen(server, "alice") == hidden
