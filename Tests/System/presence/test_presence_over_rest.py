"""Presence for services and callers of REST."""

from support.deadline import eventually

KEY = {"X-Service-Key": "a-service-key-of-length"}
ENVIRONMENT = {"PRESENCE_GRACE_MS": "300", "SERVICE_API_KEY": KEY["X-Service-Key"]}


def test_online_status_in_the_order_asked_with_numbers_as_numbers(make_server, make_chat):
    server = make_server(ENVIRONMENT | {"PRESENCE_PUBLIC": "true"})
    make_chat(server, "2")
    answer = server.get("/online-status?ids=3,2,02,9007199254740992,x")
    assert answer.json() == [
        {"id": 3, "online": False},
        {"id": 2, "online": True},
        {"id": "02", "online": False},
        {"id": "9007199254740992", "online": False},
        {"id": "x", "online": False},
    ]


def test_callers_without_a_name_need_presence_to_be_public(make_server):
    server = make_server(ENVIRONMENT)
    for path in ("/online-status?ids=1", "/api/online-users", "/api/presence?ids=1"):
        assert server.get(path).status_code == 401
        assert server.get(path, headers=KEY).status_code == 200
        assert server.get(path, headers={"X-Service-Key": "wrong"}).status_code == 401
        assert server.post(path, headers=KEY).status_code == 405


def test_queries_are_bounded(make_server):
    server = make_server(ENVIRONMENT)
    assert len(server.get("/online-status?ids=" + ",".join("1" * 1 for _ in range(1000)), headers=KEY).json()) == 1000
    for query in ("ids=" + ",".join("1" for _ in range(1001)), "ids=", "", "ids=1,,2"):
        assert server.get(f"/online-status?{query}", headers=KEY).status_code == 400
    assert server.get("/online-status?ids=" + ",".join(map(str, range(10_000))), headers=KEY).status_code in (400, 431)


def test_online_users_with_profiles_and_pages(make_server, make_chat):
    server = make_server(ENVIRONMENT)
    profile = {"name": "Alice Liddell", "email": "alice@example.org", "avatar": "https://example.org/a.png"}
    assert server.request("PUT", "/api/users/alice/profile", json=profile, headers=KEY).status_code == 200
    for user in ("alice", "bob", "carol"):
        make_chat(server, user)
    body = server.get("/api/online-users?excludeUserId=carol", headers=KEY).json()
    assert body["success"] is True and body["count"] == 2 and body["timestamp"].endswith("Z")
    assert body["data"][0] == {"id": "alice", "username": "alice", "status": "online"} | profile
    assert server.get("/api/online-users", headers={"X-User-Id": "bob"}).json()["data"][0]["email"] is None
    counted = server.get("/api/online-users?countOnly=true", headers=KEY).json()
    assert counted["count"] == 3 and "data" not in counted
    first = server.get("/api/online-users?limit=2", headers=KEY).json()
    rest = server.get(f"/api/online-users?limit=2&cursor={first['cursor']}", headers=KEY).json()
    assert [user["id"] for user in first["data"] + rest["data"]] == ["alice", "bob", "carol"]
    assert "cursor" not in rest


def test_only_services_write(make_server):
    server = make_server(ENVIRONMENT)
    caller = {"X-User-Id": "alice"}
    assert server.request("PUT", "/api/users/alice/profile", json={"name": "A"}, headers=caller).status_code == 401
    assert server.request("PUT", "/api/users/alice/friends/bob", headers=caller).status_code == 401
    assert server.request("DELETE", "/internal/users/alice/sessions", headers=caller).status_code == 401
    assert server.request("PUT", "/api/users/alice/friends/alice", headers=KEY).status_code == 400
    assert server.request("PUT", "/api/users/alice/profile", json={}, headers=KEY).status_code == 400


def test_a_service_logs_a_user_out(make_server, make_chat):
    server = make_server(ENVIRONMENT | {"PRESENCE_GRACE_MS": "60000"})
    watcher = make_chat(server, "watcher")
    watcher.ask("subscribe_presence", {"userIds": ["alice"]})
    phone, desk = make_chat(server, "alice"), make_chat(server, "alice")
    watcher.expect("user_status_change", lambda data: data["status"] == "online")
    devices = phone.ask("get_detailed_online_users")[0]["devices"]
    one = devices[0]["socketId"]
    answer = server.request("DELETE", f"/internal/users/alice/sessions?socketId={one}", headers=KEY)
    assert answer.json() == {"success": True, "sessions": 1}
    phone.expect_close(4401)
    again = server.request("DELETE", f"/internal/users/alice/sessions?socketId={one}", headers=KEY)
    assert again.status_code == 404
    assert server.request("DELETE", "/internal/users/alice/sessions", headers=KEY).json()["sessions"] == 1
    desk.expect_close(4401)
    # Logged out is not broken off: no grace period.
    watcher.expect("user_status_change", lambda data: data["status"] == "offline")


def test_sessions_are_counted(make_server, make_chat):
    server = make_server(ENVIRONMENT)
    make_chat(server, "alice")
    second = make_chat(server, "alice")
    count = lambda: server.get("/api/presence?ids=alice", headers=KEY).json()[0]["sessions"]
    assert count() == 2
    second.close()
    eventually(lambda: count() == 1, "one session is left")
