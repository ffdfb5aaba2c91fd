"""Each presence contract, driven as a client that knows only that contract would: on one instance by itself, and with the two
sides on two instances that meet in Redis."""

import itertools
import json
import queue
from contextlib import ExitStack

import jwt
import pytest
import requests
import socketio
from websockets.sync.client import connect

from support.deadline import TIMEOUT_SECONDS, eventually
from tokens.minting import claims

KEY = {"X-Service-Key": "a-service-key-of-length"}
SECRET = "a-secret-of-at-least-32-characters!!"


@pytest.fixture(params=["alone", "two instances"])
def make_places(request, make_server, make_pair):
    """Where the one side and the other are: `here, there = make_places({...})`."""

    def make(env):
        env = {"SERVICE_API_KEY": KEY["X-Service-Key"], "PRESENCE_GRACE_MS": "300"} | env
        if request.param == "alone":
            return [make_server(env)] * 2
        return make_pair(env).servers

    return make


class Flat:
    """A socket that carries one JSON object a frame."""

    def __init__(self, server, path):
        self.opened = ExitStack()
        self.socket = self.opened.enter_context(connect(server.ws_url + path, proxy=None, open_timeout=TIMEOUT_SECONDS))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.opened.close()

    def send(self, **frame):
        self.socket.send(json.dumps(frame))

    def until(self, type, **fields):
        while True:
            frame = json.loads(self.socket.recv(timeout=TIMEOUT_SECONDS))
            if frame["type"] == type and fields.items() <= frame.items():
                return frame


def test_presence_service(make_places):
    """`/ws?token=` makes online; `GET /online-status` says so."""
    here, there = make_places({"JWT_SECRET": SECRET, "HOST": "127.0.0.1", "PRESENCE_PUBLIC": "true"})
    status = lambda: requests.get(f"{there.url}/online-status?ids=7,8", timeout=TIMEOUT_SECONDS).json()
    assert status() == [{"id": 7, "online": False}, {"id": 8, "online": False}]
    token = jwt.encode(claims("7"), SECRET, "HS256")
    with connect(f"{here.ws_url}/ws?token={token}", proxy=None, open_timeout=TIMEOUT_SECONDS):
        eventually(lambda: status() == [{"id": 7, "online": True}, {"id": 8, "online": False}], "7 is online")
    eventually(lambda: status()[0] == {"id": 7, "online": False}, "7 is offline")


def test_the_users_online(make_places):
    """`/ws?userId=` with flat frames, each message of it."""
    here, there = make_places({})
    with Flat(here, "/ws?userId=alice") as alice:
        assert alice.until("welcome")["userId"] == "alice"
        with Flat(there, "/ws?userId=bob") as bob:
            alice.until("user_status_change", userId="bob", status="online")
            bob.send(type="identify", username="Bobby")
            bob.send(type="set_status", status="away")
            bob.until("status_updated", status="away")
            change = alice.until("user_status_change", userId="bob", status="away")
            assert {"username", "lastSeen", "timestamp"} <= change.keys()
            alice.send(type="check_user_status", targetUserId="bob")
            assert alice.until("user_status", userId="bob")["online"] is True
            alice.send(type="get_online_count")
            alice.until("online_count", count=2)
            alice.send(type="get_all_users")
            assert "alice" in {user["userId"] for user in alice.until("all_users")["users"]}
            alice.send(type="set_status", status="dancing")
            assert "timestamp" in alice.until("error", code="bad_request")
        alice.until("user_status_change", userId="bob", status="offline")
        alice.send(type="check_user_status", targetUserId="bob")
        assert alice.until("user_status", userId="bob")["lastSeen"].endswith("Z")


class SocketIO:
    """A stock Socket.IO client that keeps what comes."""

    def __init__(self, server, *names):
        self.events = queue.Queue()
        self.client = socketio.Client(reconnection=False)
        for name in names:
            self.client.on(name, lambda *data, name=name: self.events.put((name, data[0] if data else None)))
        self.client.connect(server.url, wait_timeout=TIMEOUT_SECONDS)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.disconnect()

    def until(self, name, matching=lambda data: True):
        for _ in itertools.count():
            event, data = self.events.get(timeout=TIMEOUT_SECONDS)
            if event == name and matching(data):
                return data


def test_user_gateway(make_places):
    """Friends only: a friend is seen, with all devices counted as one; others are not there."""
    here, there = make_places({"PRESENCE_VISIBILITY": "friends"})
    for server in {here.url: here, there.url: there}.values():
        assert server.request("PUT", "/api/users/alice/friends/bob", headers=KEY).status_code == 200
    with SocketIO(here) as alice, SocketIO(there) as bob, SocketIO(there) as phone, SocketIO(there) as mallory:
        for client, user in ((alice, "alice"), (bob, "bob"), (phone, "bob"), (mallory, "mallory")):
            assert client.client.call("authenticate", {"userId": user}, timeout=TIMEOUT_SECONDS)["success"] is True
        friends = lambda: [friend["userId"] for friend in alice.client.call("get_online_users", timeout=TIMEOUT_SECONDS)]
        eventually(lambda: friends() == ["bob"], "the friend is online")
        bob.client.disconnect()
        assert friends() == ["bob"]
        # One list has the ids of all users that may be seen, the other their details, with devices only of oneself.
        assert alice.client.call("get_all_online_users", timeout=TIMEOUT_SECONDS) == ["bob"]
        detailed = {user["userId"]: user for user in alice.client.call("get_detailed_online_users", timeout=TIMEOUT_SECONDS)}
        assert detailed.keys() == {"alice", "bob"} and "devices" not in detailed["bob"]
        assert mallory.client.call("get_online_users", timeout=TIMEOUT_SECONDS) == []
        phone.client.disconnect()
        eventually(lambda: friends() == [], "the friend is offline")


def test_online_users_tracking(make_places):
    """`join_user`, lists and edges, and the same over REST."""
    here, there = make_places({"PRESENCE_PUBLIC": "true"})
    names = ("online_users_list", "user_online", "user_offline", "user_online_status")
    listed = lambda: requests.get(f"{here.url}/api/online-users?excludeUserId=alice", timeout=TIMEOUT_SECONDS).json()
    with SocketIO(here, *names) as alice:
        alice.client.emit("join_user", "alice")
        alice.until("online_users_list", lambda data: data["count"] == 1)
        with SocketIO(there, *names) as bob:
            bob.client.emit("join_user", "bob")
            assert alice.until("user_online")["userId"] == "bob"
            alice.until("online_users_list", lambda data: data["count"] == 2)
            bob.client.emit("user_activity")
            alice.client.emit("check_user_online", "bob")
            assert alice.until("user_online_status")["online"] is True
            body = listed()
            assert (body["success"], body["count"]) == (True, 1)
            assert body["data"][0] == body["data"][0] | {"id": "bob", "username": "bob", "status": "online"}
        assert alice.until("user_offline")["userId"] == "bob"
        alice.until("online_users_list", lambda data: data["count"] == 1)
        assert listed()["count"] == 0
