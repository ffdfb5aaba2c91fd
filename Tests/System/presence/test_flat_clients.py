"""Presence clients: flat frames at `/ws?userId=`."""

import json
import subprocess

from support.deadline import TIMEOUT_SECONDS
from support.server import binary, clean_environment

GRACE = {"PRESENCE_GRACE_MS": "400"}


def flat(make_chat, server, user, **options):
    chat = make_chat(server, path=f"/ws?userId={user}", framing="type", **options)
    chat.user_id = user
    assert chat.expect("welcome")["userId"] == user
    return chat


def test_every_message_of_a_presence_client(make_server, make_chat):
    server = make_server(GRACE)
    alice = flat(make_chat, server, "alice")
    bob = flat(make_chat, server, "bob")
    change = alice.expect("user_status_change", lambda data: data["userId"] == "bob")
    assert change["status"] == "online" and change["timestamp"].endswith("Z")

    alice.emit("get_online_count")
    assert alice.expect("online_count")["count"] == 2
    alice.emit("check_user_status", {"targetUserId": "bob"})
    status = alice.expect("user_status")
    assert (status["userId"], status["online"], status["status"]) == ("bob", True, "online")
    alice.emit("get_all_users")
    users = alice.expect("all_users")["users"]
    assert {user["userId"]: user["status"] for user in users} == {"alice": "online", "bob": "online"}

    bob.emit("identify", {"username": "Bobby"})
    bob.emit("set_status", {"status": "busy"})
    updated = bob.expect("status_updated")
    assert updated["status"] == "busy" and updated["timestamp"].endswith("Z")
    change = alice.expect("user_status_change", lambda data: data["status"] == "busy")
    assert (change["userId"], change["username"]) == ("bob", "Bobby")

    bob.close()
    gone = alice.expect("user_status_change", lambda data: data["status"] == "offline")
    assert gone["userId"] == "bob" and gone["lastSeen"].endswith("Z")
    alice.emit("get_online_count")
    assert alice.expect("online_count")["count"] == 1


def test_last_seen_survives_a_restart(make_server, make_chat):
    server = make_server(GRACE)
    bob = flat(make_chat, server, "bob")
    alice = flat(make_chat, server, "alice")
    bob.close()
    seen = alice.expect("user_status_change", lambda data: data["userId"] == "bob" and data["status"] == "offline")
    server.restart()
    alice = flat(make_chat, server, "alice")
    alice.emit("check_user_status", {"targetUserId": "bob"})
    status = alice.expect("user_status")
    assert (status["online"], status["status"], status["lastSeen"]) == (False, "offline", seen["lastSeen"])
    alice.emit("get_all_users")
    assert {user["userId"] for user in alice.expect("all_users")["users"]} == {"alice", "bob"}


def test_known_users_come_in_pages(make_server, make_chat):
    server = make_server(GRACE)
    for user in ("a", "b", "c"):
        flat(make_chat, server, user)
    alice = flat(make_chat, server, "alice")
    seen, cursor = [], None
    while True:
        page = alice.ask("get_all_users", {"limit": 2} | ({"cursor": cursor} if cursor else {}))
        assert len(page["users"]) <= 2
        seen += [user["userId"] for user in page["users"]]
        cursor = page.get("cursor")
        if cursor is None:
            break
    assert seen == ["a", "alice", "b", "c"]


def test_bad_requests_are_named(make_server, make_chat):
    server = make_server(GRACE)
    alice = flat(make_chat, server, "alice")
    for event, data in [
        ("set_status", {"status": "asleep"}),
        ("set_status", {}),
        ("set_status", {"status": 7}),
        ("check_user_status", {}),
        ("check_user_status", {"targetUserId": {"$ne": 1}}),
        ("subscribe_presence", {"userIds": []}),
        ("subscribe_presence", {"userIds": [f"u{n}" for n in range(1001)]}),
        ("subscribe_presence", {}),
        ("get_all_users", {"limit": 0}),
    ]:
        reply = alice.request(event, data)
        assert reply["error"]["code"] == "bad_request", (event, data, reply)
        alice.settle()
    alice.emit("check_user_status", {"targetUserId": "nobody"})
    status = alice.expect("user_status")
    assert status["online"] is False and status["lastSeen"] is None


def test_the_list_of_watched_users_is_bounded(make_server, make_chat):
    alice = flat(make_chat, make_server(GRACE), "alice")
    alice.ask("subscribe_presence", {"userIds": [f"u{n}" for n in range(600)]})
    reply = alice.request("subscribe_presence", {"userIds": [f"v{n}" for n in range(600)]})
    assert reply["error"]["code"] == "bad_request"
    alice.ask("unsubscribe_presence", {"userIds": [f"u{n}" for n in range(600)]})
    alice.ask("subscribe_presence", {"userIds": [f"v{n}" for n in range(600)]})


def test_lists_travel_under_users_in_flat_answers(make_server, make_chat):
    alice = flat(make_chat, make_server(GRACE), "alice")
    assert alice.ask("get_all_online_users")["users"] == ["alice"]
    detailed = alice.ask("get_detailed_online_users")["users"]
    assert [device["instance"] != "" for device in detailed[0]["devices"]] == [True]
    assert alice.ask("get_online_users")["users"] == []
    alice.emit("get_all_online_users")
    assert alice.expect("get_all_online_users")["users"] == ["alice"]


def test_a_frame_is_one_json_object_per_event(make_server, make_chat):
    alice = flat(make_chat, make_server(GRACE), "alice")
    alice.send_text(json.dumps({"type": "get_online_users"}))
    listed = alice.expect("online_users_list")
    assert listed["count"] == 1 and listed["users"][0]["userId"] == "alice"


def test_an_older_service_s_state_is_taken_over(make_server, make_chat):
    server = make_server(GRACE, start=False)
    state = server.directory / "user_state.json"
    state.write_text(json.dumps({"bob": {"status": "online", "lastSeen": "2024-05-06T07:08:09.000Z"}}))
    done = run_service(server, "import-user-state", str(state))
    assert done.returncode == 0, done.stderr
    missing = run_service(server, "import-user-state", str(server.directory / "none.json"))
    assert missing.returncode != 0
    server.start()
    alice = flat(make_chat, server, "alice")
    status = alice.ask("check_user_status", {"targetUserId": "bob"})
    assert (status["online"], status["lastSeen"]) == (False, "2024-05-06T07:08:09.000Z")


def run_service(server, *arguments):
    return subprocess.run(
        [str(binary()), *arguments], env=clean_environment(server.env), capture_output=True, text=True, timeout=TIMEOUT_SECONDS
    )
