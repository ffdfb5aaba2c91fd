"""Only changes are announced: tabs, flapping networks, several devices, hiding, idleness."""

import pytest

GRACE = {"PRESENCE_GRACE_MS": "600", "MAX_CONNECTIONS_PER_USER": "3"}


def watcher(make_chat, server, *users, name="watcher"):
    chat = make_chat(server, name)
    snapshot = chat.ask("subscribe_presence", {"userIds": list(users)} if users else {"all": True})
    chat.expect("presence_snapshot")
    return chat, {user["userId"]: user["status"] for user in snapshot["users"]}


def changes(chat, user):
    return [data["status"] for data in chat.events("user_status_change") if data["userId"] == user]


def test_only_named_users_are_watched(make_server, make_chat):
    server = make_server(GRACE)
    chat, snapshot = watcher(make_chat, server, "alice", "bob")
    assert snapshot == {"alice": "offline", "bob": "offline"}
    make_chat(server, "carol")
    make_chat(server, "alice")
    chat.expect("user_status_change", lambda data: data["userId"] == "alice")
    chat.read_for(0.5)
    assert changes(chat, "carol") == []
    chat.ask("unsubscribe_presence", {"userIds": ["bob"]})
    make_chat(server, "bob")
    chat.read_for(0.5)
    assert changes(chat, "bob") == []


def test_a_tab_more_or_less_announces_nothing(make_server, make_chat):
    server = make_server(GRACE)
    chat, _ = watcher(make_chat, server, "alice")
    first, second = make_chat(server, "alice"), make_chat(server, "alice")
    chat.expect("user_status_change")
    second.close()
    chat.read_for(1.2)
    assert changes(chat, "alice") == []
    first.close()
    assert chat.expect("user_status_change")["status"] == "offline"
    chat.read_for(0.8)
    assert changes(chat, "alice") == []


def test_flapping_within_the_grace_period_announces_nothing(make_server, make_chat):
    server = make_server(GRACE)
    chat, _ = watcher(make_chat, server, "alice")
    alice = make_chat(server, "alice")
    alice.ask("set_status", {"status": "busy"})
    chat.expect("user_status_change", lambda data: data["status"] == "busy")
    chat.inbox.clear()
    for _ in range(5):
        alice.abort()
        alice = make_chat(server, "alice")
    chat.read_for(1.5)
    assert changes(chat, "alice") == []
    alice.abort()
    assert chat.expect("user_status_change")["status"] == "offline"


def test_of_several_devices_busy_beats_online_beats_away(make_server, make_chat):
    server = make_server(GRACE)
    chat, _ = watcher(make_chat, server, "alice")
    phone, desk = make_chat(server, "alice"), make_chat(server, "alice")
    chat.expect("user_status_change", lambda data: data["status"] == "online")
    phone.ask("set_status", {"status": "away"})
    desk.ask("set_status", {"status": "busy"})
    chat.expect("user_status_change", lambda data: data["status"] == "busy")
    desk.ask("set_status", {"status": "online"})
    chat.expect("user_status_change", lambda data: data["status"] == "online")
    desk.close()
    chat.expect("user_status_change", lambda data: data["status"] == "away")
    phone.ask("set_status", {"status": "away"})
    chat.read_for(0.4)
    assert changes(chat, "alice") == []


def test_the_hidden_are_offline_everywhere_but_to_themselves(make_server, make_chat):
    server = make_server(GRACE | {"SERVICE_API_KEY": "a-service-key-of-length"})
    everybody, _ = watcher(make_chat, server)
    named, _ = watcher(make_chat, server, "alice", name="other")
    alice = make_chat(server, "alice")
    named.expect("user_status_change", lambda data: data["userId"] == "alice")
    everybody.expect("user_status_change", lambda data: data["userId"] == "alice")
    alice.ask("set_status", {"status": "invisible"})
    for chat in (everybody, named):
        chat.expect("user_status_change", lambda data: data["userId"] == "alice" and data["status"] == "offline")
    hidden_since = named.ask("check_user_status", {"targetUserId": "alice"})
    assert (hidden_since["online"], hidden_since["status"]) == (False, "offline")
    assert "alice" not in named.ask("get_all_online_users")
    assert all(user["userId"] != "alice" for user in named.ask("get_detailed_online_users"))
    assert named.ask("get_online_count")["count"] == 2
    own = alice.ask("check_user_status", {"targetUserId": "alice"})
    assert own["status"] == "invisible"

    key = {"X-Service-Key": "a-service-key-of-length"}
    assert server.get("/online-status?ids=alice", headers=key).json() == [{"id": "alice", "online": False}]
    standing = server.get("/api/presence?ids=alice", headers=key).json()[0]
    assert (standing["status"], standing["online"], standing["sessions"]) == ("offline", False, 0)
    assert standing["lastSeen"] == hidden_since["lastSeen"]
    assert server.get("/api/online-users", headers=key).json()["count"] == 2

    # A second device and a reconnect of a hidden user show nothing either.
    make_chat(server, "alice").close()
    named.read_for(1.0)
    assert changes(named, "alice") == []
    alice.ask("set_status", {"status": "online"})
    named.expect("user_status_change", lambda data: data["userId"] == "alice" and data["status"] == "online")


def test_idle_devices_are_away_until_something_comes(make_server, make_chat):
    server = make_server(GRACE | {"PRESENCE_AWAY_AFTER_MS": "1000"})
    chat, _ = watcher(make_chat, server, "alice")
    alice = make_chat(server, "alice")
    # The watcher is idle too, and gets its own change.
    is_alice = lambda status: lambda data: (data["userId"], data["status"]) == ("alice", status)
    chat.expect("user_status_change", is_alice("online"))
    chat.expect("user_status_change", is_alice("away"))
    alice.ask("user_activity")
    chat.expect("user_status_change", is_alice("online"))


def test_the_oldest_session_gives_way(make_server, make_chat):
    server = make_server(GRACE)
    sessions = [make_chat(server, "alice") for _ in range(4)]
    sessions[0].expect_error("replaced")
    sessions[0].expect_close(4409)
    for session in sessions[1:]:
        session.settle()
    assert sessions[1].request("get_detailed_online_users")[0]["userId"] == "alice"
    assert len(sessions[1].request("get_detailed_online_users")[0]["devices"]) == 3


@pytest.mark.parametrize("event", ["set_status", "subscribe_presence", "get_online_count", "user_activity"])
def test_an_unauthenticated_client_gets_no_answers(make_server, make_chat, event):
    chat = make_chat(make_server(GRACE))
    reply = chat.request(event, {"status": "busy", "userIds": ["a"]})
    assert reply["error"]["code"] == "unauthenticated"
