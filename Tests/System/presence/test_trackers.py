"""Online-users clients: Socket.IO, `join_user`, lists on change; and token clients of `/ws`."""

import queue
import time

import pytest
import socketio
from support.deadline import TIMEOUT_SECONDS

ENVIRONMENT = {"PRESENCE_GRACE_MS": "300"}


class Tracker:
    """A stock client that keeps every event."""

    def __init__(self, server, user, transports=("websocket",), event="join_user", wrap=lambda user: user):
        self.events = queue.Queue()
        self.client = socketio.Client(reconnection=False)
        for name in ("online_users_list", "user_online", "user_offline", "user_online_status", "user_status_change", "error"):
            self.client.on(name, lambda *data, name=name: self.events.put((name, data[0] if data else None)))
        self.client.connect(server.url, transports=list(transports), wait_timeout=TIMEOUT_SECONDS)
        self.client.emit(event, wrap(user))

    def expect(self, name, matching=lambda data: True, timeout=TIMEOUT_SECONDS):
        deadline = time.monotonic() + timeout
        while True:
            try:
                event, data = self.events.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no {name}") from None
            if event == name and matching(data):
                return data


@pytest.fixture
def track():
    trackers = []

    def make(*arguments, **options):
        trackers.append(Tracker(*arguments, **options))
        return trackers[-1]

    yield make
    for tracker in trackers:
        tracker.client.disconnect()


@pytest.mark.parametrize("transports", [("websocket",), ("polling",)])
def test_an_online_users_page(make_server, track, transports):
    server = make_server(ENVIRONMENT)
    alice = track(server, "alice", transports)
    assert [user["userId"] for user in alice.expect("online_users_list")["users"]] == ["alice"]
    bob = track(server, 7, transports, event="user_online", wrap=lambda user: {"userId": user})
    assert alice.expect("user_online")["userId"] == "7"
    listed = alice.expect("online_users_list", lambda data: data["count"] == 2)
    assert {user["userId"] for user in listed["users"]} == {"7", "alice"}
    alice.client.emit("check_user_online", "7")
    status = alice.expect("user_online_status")
    assert (status["userId"], status["online"], status["status"]) == ("7", True, "online")
    alice.client.emit("user_activity")
    alice.client.emit("get_online_users")
    assert alice.expect("online_users_list")["count"] == 2
    bob.client.disconnect()
    assert alice.expect("user_offline")["userId"] == "7"
    alice.expect("online_users_list", lambda data: data["count"] == 1)


def test_lists_come_at_most_once_a_second(make_server, track, make_chat):
    server = make_server(ENVIRONMENT)
    alice = track(server, "alice")
    alice.expect("online_users_list", lambda data: data["count"] == 1)
    for number in range(30):
        make_chat(server, f"u{number}")
    alice.expect("online_users_list", lambda data: data["count"] == 31)
    lists = []
    while not alice.events.empty():
        lists.append(alice.events.get())
    assert sum(name == "online_users_list" for name, _ in lists) <= 2


def test_the_hidden_come_and_go_without_a_list(make_server, make_chat):
    server = make_server(ENVIRONMENT)
    alice = make_chat(server, "alice")
    alice.ask("join_user", {"userId": "alice"})
    hidden = make_chat(server, "hidden")
    hidden.ask("set_status", {"status": "invisible"})
    make_chat(server, "bob")
    alice.expect("online_users_list", lambda data: [user["userId"] for user in data["users"]] == ["alice", "bob"])
    alice.inbox.clear()
    hidden.close()
    # The grace, and the second that passes before a list.
    alice.read_for(3)
    assert alice.inbox == []
    make_chat(server, "carol")
    assert alice.expect("online_users_list")["count"] == 3


def test_joining_as_another_user_is_forbidden(make_server, track):
    alice = track(make_server(ENVIRONMENT), "alice")
    alice.expect("online_users_list")
    alice.client.emit("join_user", "bob")
    assert alice.expect("error")["code"] == "forbidden"
