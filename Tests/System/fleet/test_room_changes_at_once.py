"""A change of a room is in force on every instance when the call returns, whatever an instance holds in memory."""

import threading

import pytest

from support.deadline import TIMEOUT_SECONDS, eventually
from support.relay import Relay

ALICE = {"X-User-Id": "alice"}
BOB = {"X-User-Id": "bob"}
REFUSED = (403, 404)


def _make(server, room: str, **fields) -> None:
    answer = server.post("/api/rooms", headers=ALICE, json={"roomId": room, **fields})
    assert answer.status_code == 201, answer.text


def _history(server, room: str) -> int:
    return server.get(f"/api/chat/{room}/history", headers=BOB).status_code


def _send(server, room: str) -> int:
    return server.post(f"/api/chat/{room}/messages", headers=BOB, json={"message": "let me in"}).status_code


def test_removal_holds_on_an_instance_without_members(fleet, room):
    """The other instance has served the room a moment ago, to callers of REST, and has it in memory."""
    one, two = fleet.servers
    for number in range(10):
        name = f"{room}-{number}"
        _make(one, name, private=True, participants=["bob"])
        assert _history(two, name) == 200 and _send(two, name) == 201
        assert one.request("DELETE", f"/api/rooms/{name}/participants/bob", headers=ALICE).status_code == 200
        assert _history(two, name) in REFUSED and _send(two, name) in REFUSED
        assert one.request("PUT", f"/api/rooms/{name}/participants/bob", headers=ALICE).status_code == 200
        assert _history(two, name) == 200 and _send(two, name) == 201


def test_deletion_holds_on_an_instance_without_members(fleet, room):
    one, two = fleet.servers
    for number in range(10):
        name = f"{room}-{number}"
        _make(one, name)
        assert _history(two, name) == 200 and _send(two, name) == 201
        assert one.request("DELETE", f"/api/rooms/{name}", headers=ALICE).status_code == 200
        assert _history(two, name) in REFUSED and _send(two, name) in REFUSED


def test_removal_holds_for_a_member_of_an_open_room(fleet, make_chat, room):
    one, two = fleet.servers
    _make(one, room)
    bob = make_chat(two, "bob")
    bob.join(room)
    assert one.request("DELETE", f"/api/rooms/{room}/participants/bob", headers=ALICE).status_code == 200
    refused = bob.request("send_message", {"roomId": room, "message": "still here?"})
    assert refused["success"] is False and refused["error"]["code"] == "not_joined"
    # It is open: bob may come again, and counts again, everywhere.
    bob.join(room)
    bob.send(room, "back")
    for server in fleet.servers:
        eventually(lambda s=server: _members(s, room) == 2, "both are participants")


def _members(server, room: str) -> int:
    return server.get(f"/api/rooms/{room}", headers=ALICE).json()["room"]["members"]


def test_a_frozen_instance_serves_nothing_outdated_when_it_continues(make_fleet, make_chat):
    fleet = make_fleet({"AUTH_MODE": "trusted"})
    one, two = fleet.servers
    _make(one, "closed", private=True, participants=["bob"])
    _make(one, "doomed")
    bob = make_chat(two, "bob")
    for name in ("closed", "doomed"):
        bob.join(name)
    assert _send(two, "closed") == 201
    two.pause()
    answers: list[int] = []
    try:
        assert one.request("DELETE", "/api/rooms/closed/participants/bob", headers=ALICE).status_code == 200
        assert one.request("DELETE", "/api/rooms/doomed", headers=ALICE).status_code == 200
        # What comes from here on comes after the removal; it waits in the frozen instance's sockets.
        late = [threading.Thread(target=lambda f=f: answers.append(f(two, "closed"))) for f in (_send, _history)]
        for thread in late:
            thread.start()
        requests = [
            bob.emit_with_id("send_message", {"roomId": name, "message": "still here?"}) for name in ("closed", "doomed")
        ]
    finally:
        two.unpause()
    codes = [bob.reply(request)["error"]["code"] for request in requests]
    assert all(code in ("not_joined", "forbidden") for code in codes), codes
    for thread in late:
        thread.join(TIMEOUT_SECONDS)
    assert len(answers) == 2 and all(code in REFUSED for code in answers), answers


@pytest.fixture
def cut_off(make_fleet):
    """A fleet whose second instance reaches Redis through a relay of its own."""
    relays: list[Relay] = []

    def between(fleet) -> None:
        relays.append(Relay(fleet.redis.port))
        fleet.servers[1].env["REDIS_URL"] = f"redis://127.0.0.1:{relays[0].port}"

    yield make_fleet(before=between), relays[0]
    relays[0].close()


def _remove_from_both(server, bob) -> None:
    """Removes bob from two rooms, and has him find out."""
    for name in ("closed", "open"):
        assert server.request("DELETE", f"/api/rooms/{name}/participants/bob", headers=ALICE).status_code == 200
    for name in ("closed", "open"):
        refused = bob.request("send_message", {"roomId": name, "message": "still here?"})
        assert refused["success"] is False and refused["error"]["code"] == "not_joined", name


def test_an_instance_cut_off_from_redis_serves_nothing_outdated(cut_off, make_chat):
    """Its connections stand, and nothing comes over them any more."""
    fleet, relay = cut_off
    one, two = fleet.servers
    _make(one, "closed", private=True, participants=["bob"])
    _make(one, "open", participants=["bob"])
    bob = make_chat(two, "bob")
    for name in ("closed", "open"):
        bob.join(name)
        bob.send(name, "hello")
    relay.stall()
    _remove_from_both(one, bob)
    assert _history(two, "closed") in REFUSED and _send(two, "closed") in REFUSED
    # Permitted users continue meanwhile, and when it has contact again.
    alice = make_chat(two, "alice")
    alice.join("closed")
    alice.send("closed", "alone")
    relay.resume()
    alice.send("closed", "together")


def test_what_an_instance_changes_while_it_is_cut_off_holds_on_the_others(cut_off, make_chat):
    fleet, relay = cut_off
    one, two = fleet.servers
    for name in ("closed", "open"):
        _make(one, name, private=name == "closed", participants=["bob"])
    bob = make_chat(one, "bob")
    for name in ("closed", "open"):
        bob.join(name)
    relay.stall()
    _remove_from_both(two, bob)
    assert _history(one, "closed") in REFUSED and _send(one, "closed") in REFUSED
    # It stays in force whatever becomes of the instance that was cut off.
    two.kill()
    relay.resume()
    assert _history(one, "closed") in REFUSED
    assert one.request("PUT", "/api/rooms/closed/participants/bob", headers=ALICE).status_code == 200
    bob.join("closed")
    bob.send("closed", "back")
