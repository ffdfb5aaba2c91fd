"""Bans from the whole deployment, by services: sessions, handshakes and REST, on one instance and on two."""

import itertools

import pytest
import socketio

from role_calls import BAN_SECONDS, KEY, SERVICE, by, delete, put, soon
from support.chat import Chat
from support.deadline import TIMEOUT_SECONDS, eventually

ENVIRONMENT = {"SERVICE_API_KEY": KEY, "PRESENCE_GRACE_MS": "60000"}
_numbers = itertools.count(1)


@pytest.fixture
def bob():
    return f"bob-{next(_numbers)}"


@pytest.mark.parametrize(("path", "framing"), [("/", "event"), ("/ws", "type")])
def test_sessions_end_and_handshakes_are_refused(pair, bob, make_chat, path, framing):
    chat = make_chat(pair[1], bob, path=path, framing=framing)
    watcher = make_chat(pair[0], "watcher")
    eventually(lambda: watcher.ask("check_user_status", {"targetUserId": bob})["online"], "bob is online")
    put(pair[0], f"/internal/bans/{bob}", user=None, reason="spam")
    assert chat.expect_error("banned")["retryable"] is False
    chat.expect_close(4403)
    for server in pair:
        # By the handshake, and by an event.
        early = make_chat(server, path=f"{path}?userId={bob}", framing=framing)
        assert early.expect_error("banned")
        early.expect_close(4403)
        late = make_chat(server, path=path, framing=framing)
        reply = late.request("authenticate", {"userId": bob})
        assert reply["error"]["code"] == "banned"
        late.expect_close(4403)
        answer = server.get("/api/rooms", headers=by(bob))
        assert answer.status_code == 403 and answer.json()["code"] == "banned"
    # No grace period: the user is not coming back.
    assert not watcher.ask("check_user_status", {"targetUserId": bob})["online"]
    delete(pair[1], f"/internal/bans/{bob}", user=None)
    for server in pair:
        make_chat(server, bob)
        assert server.get("/api/rooms", headers=by(bob)).status_code == 200
    delete(pair[1], f"/internal/bans/{bob}", user=None, status=404)


def test_a_stock_client(pair, bob):
    with socketio.SimpleClient() as client:
        client.connect(pair[1].url, auth={"userId": bob}, transports=["websocket"])
        put(pair[0], f"/internal/bans/{bob}", user=None)
        event = ["", {}]
        while event[0] != "error":
            event = client.receive(timeout=TIMEOUT_SECONDS)
        assert event[1]["code"] == "banned"
        eventually(lambda: not client.client.connected, "it is disconnected and does not come back")
    refused = socketio.Client(reconnection=False)
    reasons = []
    refused.on("connect_error", reasons.append)
    with pytest.raises(socketio.exceptions.ConnectionError):
        refused.connect(pair[1].url, auth={"userId": bob}, transports=["websocket"], wait_timeout=TIMEOUT_SECONDS)
    assert reasons[0]["message"] == "banned"
    delete(pair[0], f"/internal/bans/{bob}", user=None)


def test_a_ban_ends_by_itself(pair, bob, make_chat):
    until = soon(BAN_SECONDS)
    ban = put(pair[0], f"/internal/bans/{bob}", user=None, until=until).json()
    assert ban["userId"] == bob and ban["until"] == until
    call = lambda: pair[1].get("/api/rooms", headers=by(bob)).status_code
    assert call() == 403
    eventually(lambda: call() == 200, "the ban is over", every=0.1)
    assert soon(0) >= until
    make_chat(pair[1], bob)
    listed = pair[0].get("/internal/bans", headers=SERVICE).json()["bans"]
    assert bob not in [each["userId"] for each in listed]


def test_the_list_of_bans(pair, bob):
    put(pair[0], f"/internal/bans/{bob}", user=None, reason="spam")
    listed = pair[1].get("/internal/bans", headers=SERVICE).json()["bans"]
    assert [each["reason"] for each in listed if each["userId"] == bob] == ["spam"]
    page = pair[1].get("/internal/bans?limit=1", headers=SERVICE).json()
    assert len(page["bans"]) == 1
    for method, path in (("PUT", f"/internal/bans/{bob}"), ("DELETE", f"/internal/bans/{bob}"), ("GET", "/internal/bans")):
        assert pair[0].request(method, path, headers=by("eve")).status_code == 401
    for body in ({"until": 1}, {"until": "x"}, {"reason": "x" * 257}):
        put(pair[0], f"/internal/bans/{bob}", user=None, status=400, **body)
    delete(pair[0], f"/internal/bans/{bob}", user=None)


def test_bans_hold_after_a_restart(make_server):
    server = make_server(ENVIRONMENT)
    put(server, "/internal/bans/bob", user=None)
    server.restart()
    assert server.get("/api/rooms", headers=by("bob")).json()["code"] == "banned"
    chat = Chat(server.ws_url, path="/?userId=bob")
    assert chat.expect_error("banned")
    chat.expect_close(4403)


def test_a_ban_while_redis_is_away(make_fleet, make_chat):
    """The other instance gets no notice; it reads the bans from the store."""
    fleet = make_fleet(ENVIRONMENT)
    one, two = fleet.servers
    bob = make_chat(two, "bob")
    fleet.redis.kill()
    put(one, "/internal/bans/bob", user=None)
    bob.expect_close(4403)
    eventually(lambda: two.get("/api/rooms", headers=by("bob")).status_code == 403, "REST is refused")
    fleet.redis.start()
    assert two.get("/api/rooms", headers=by("bob")).status_code == 403
