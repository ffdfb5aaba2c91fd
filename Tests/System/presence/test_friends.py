"""Friends-only visibility, and lists of friends."""

import socketio

from support.deadline import TIMEOUT_SECONDS, eventually

KEY = {"X-Service-Key": "a-service-key-of-length"}
ENVIRONMENT = {"PRESENCE_GRACE_MS": "300", "SERVICE_API_KEY": KEY["X-Service-Key"], "PRESENCE_VISIBILITY": "friends"}


def befriend(server, a, b, method="PUT"):
    assert server.request(method, f"/api/users/{a}/friends/{b}", headers=KEY).status_code == 200


def test_strangers_are_not_there(make_server, make_chat):
    server = make_server(ENVIRONMENT)
    befriend(server, "alice", "bob")
    alice = make_chat(server, "alice")
    alice.ask("subscribe_presence", {"all": True})
    alice.ask("subscribe_presence", {"userIds": ["mallory"]})
    make_chat(server, "mallory")
    bob = make_chat(server, "bob")
    alice.expect("user_status_change", lambda data: data["userId"] == "bob")
    assert alice.ask("get_all_online_users") == ["bob"]
    assert alice.ask("get_online_count")["count"] == 1
    stranger = alice.ask("check_user_status", {"targetUserId": "mallory"})
    assert (stranger["online"], stranger["lastSeen"]) == (False, None)
    users = alice.ask("get_all_users")["users"]
    assert {user["userId"] for user in users} == {"alice", "bob"}
    as_alice = {"X-User-Id": "alice"}
    assert server.get("/online-status?ids=bob,mallory", headers=as_alice).json() == [
        {"id": "bob", "online": True},
        {"id": "mallory", "online": False},
    ]
    assert server.get("/api/online-users", headers=as_alice).json()["count"] == 1
    assert all(data["userId"] == "bob" for data in alice.events("user_status_change"))

    befriend(server, "alice", "bob", "DELETE")
    bob.ask("set_status", {"status": "busy"})
    alice.read_for(0.6)
    assert [data for data in alice.events("user_status_change") if data["status"] == "busy"] == []
    assert alice.ask("get_all_online_users") == []


def test_watching_friends_follows_friendships(make_server, make_chat):
    server = make_server(ENVIRONMENT | {"PRESENCE_VISIBILITY": "everyone"})
    befriend(server, "alice", "bob")
    alice = make_chat(server, "alice")
    snapshot = alice.ask("subscribe_presence", {"friends": True})
    assert [user["userId"] for user in snapshot["users"]] == ["bob"]
    befriend(server, "alice", "carol")
    make_chat(server, "carol")
    make_chat(server, "dora")
    alice.expect("user_status_change", lambda data: data["userId"] == "carol")
    alice.read_for(0.4)
    assert all(data["userId"] != "dora" for data in alice.events("user_status_change"))


def test_a_socket_io_gateway_client(make_server, make_chat):
    """As a stock client of the user gateway asks."""
    server = make_server(ENVIRONMENT | {"PRESENCE_VISIBILITY": "everyone"})
    befriend(server, "alice", "bob")
    make_chat(server, "bob")
    make_chat(server, "carol")
    client = socketio.SimpleClient()
    client.connect(server.url, transports=["websocket"])
    try:
        assert client.call("authenticate", {"userId": "alice"}, timeout=TIMEOUT_SECONDS)["success"] is True
        friends = client.call("get_online_users", timeout=TIMEOUT_SECONDS)
        assert [(friend["userId"], friend["status"]) for friend in friends] == [("bob", "online")]
        assert set(client.call("get_all_online_users", timeout=TIMEOUT_SECONDS)) == {"alice", "bob", "carol"}
        detailed = {user["userId"]: user for user in client.call("get_detailed_online_users", timeout=TIMEOUT_SECONDS)}
        assert len(detailed["alice"]["devices"]) == 1 and "devices" not in detailed["bob"]
        client.call("set_status", {"status": "busy"}, timeout=TIMEOUT_SECONDS)
        key = lambda: server.get("/api/presence?ids=alice", headers=KEY).json()[0]["status"]
        eventually(lambda: key() == "busy", "alice is busy")
    finally:
        client.disconnect()


def test_rooms_show_strangers_as_little(make_pair, make_chat, room):
    """With two instances, a friend and a stranger on each."""
    pair = make_pair({"PRESENCE_VISIBILITY": "friends"})
    one, two = pair.servers
    for server in pair.servers:
        befriend(server, "alice", "bob")
    stranger = make_chat(one, "mallory")
    assert [user["userId"] for user in stranger.join(room)["users"]] == ["mallory"]
    alice = make_chat(one, "alice")
    view = alice.join(room)
    assert ([user["userId"] for user in view["users"]], view["state"]["online"]) == (["alice"], 1)
    bob = make_chat(two, "bob")
    view = bob.join(room)
    assert ({user["userId"] for user in view["users"]}, view["state"]["online"]) == ({"alice", "bob"}, 2)
    alice.expect("user_joined", lambda data: data["userId"] == "bob")
    online = lambda user: one.get(f"/api/rooms/{room}", headers={"X-User-Id": user}).json()["room"]["online"]
    assert (online("alice"), online("mallory"), online("nobody")) == (2, 1, 0)
    assert one.get(f"/api/rooms/{room}", headers=KEY).json()["room"]["online"] == 3
    # Messages reach all members.
    stranger.send(room, "hello")
    assert bob.expect("new_message")["userId"] == "mallory"
    bob.ask("leave_room", {"roomId": room})
    alice.expect("user_left", lambda data: data["userId"] == "bob")
    for chat in (stranger, alice):
        chat.settle()
    assert stranger.events("user_joined") == stranger.events("user_left") == []
    assert alice.events("user_joined") == []


def test_a_direct_message_reveals_no_strangers(make_server, make_chat):
    server = make_server(ENVIRONMENT)
    befriend(server, "alice", "bob")
    alice, bob, stranger = (make_chat(server, user) for user in ("alice", "bob", "mallory"))
    answer = alice.ask("send_message", {"recipientIds": ["bob", "mallory", "nobody"], "message": "psst"})
    assert answer["recipients"] == {"total": 3, "sent": ["bob"], "failed": ["mallory", "nobody"]}
    for chat in (bob, stranger):
        assert chat.expect("message")["message"] == "psst"
