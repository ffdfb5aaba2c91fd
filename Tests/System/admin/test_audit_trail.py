"""Who did what, when, and from where: kept in the store, bounded, in pages."""

from operating import ENVIRONMENT, KEY, Operator
from support.deadline import eventually


def test_every_act_of_management_is_recorded(servers, operator, make_chat, room):
    last = servers[-1]
    ada, ben = make_chat(servers[0], "ada"), make_chat(last, "ben")
    made = last.post("/api/rooms", json={"roomId": room, "participants": ["ben"]}, headers={"X-User-Id": "ada"})
    assert made.status_code == 201, made.text
    ada.join(room)
    ben.join(room)
    own, other, third = ada.send(room, "mine"), ben.send(room, "a secret of Ben"), ben.send(room, "another")
    messages = f"/api/chat/{room}/messages"

    def done(method, path, expected=200, headers=None, **options):
        answer = last.request(method, path, headers=headers or operator.headers, **options)
        assert answer.status_code == expected, answer.text
        return answer

    done("PUT", f"/api/rooms/{room}/roles/cat", json={"role": "moderator"}, headers={"X-User-Id": "ada"})
    done("DELETE", f"/api/rooms/{room}/roles/cat")
    done("PUT", f"/api/rooms/{room}/mutes/ben", json={"reason": "a text that is not kept"})
    done("DELETE", f"/api/rooms/{room}/mutes/ben")
    done("DELETE", f"{messages}/{own['messageId']}", headers={"X-User-Id": "ada"})
    done("DELETE", f"{messages}/{other['messageId']}")
    ada.ask("delete_message", {"roomId": room, "messageId": third["messageId"]})
    done("PUT", f"/api/rooms/{room}/bans/ben")
    done("DELETE", f"/api/rooms/{room}/bans/ben")
    done("GET", "/internal/users/ben/export")
    done("GET", f"/internal/rooms/{room}/export")
    done("PUT", "/internal/bans/eve")
    done("DELETE", "/internal/bans/eve")
    done("DELETE", "/internal/users/ben/sessions")
    done("DELETE", f"/api/rooms/{room}")
    done("DELETE", f"/internal/rooms/{room}?erase=true", expected=202)

    def deletions():
        return [entry for entry in operator.entries(action="message_delete") if len(operator.entries()) == 15]

    by_socket, by_rest = sorted(eventually(deletions, "all acts are stored"), key=lambda entry: entry["service"])
    assert (by_socket["actor"], by_socket["userId"], by_socket["messageId"]) == ("ada", "ben", third["messageId"])
    assert (by_rest["actor"], by_rest["userId"], by_rest["messageId"]) == ("olga", "ben", other["messageId"])
    assert by_socket["address"] == by_rest["address"] == "127.0.0.1"
    entries = operator.entries(limit=200)
    assert sorted(entry["action"] for entry in entries) == sorted(
        ["role_set", "role_cleared", "mute", "unmute", "message_delete", "message_delete", "room_ban", "room_unban",
         "user_export", "room_export", "user_ban", "user_unban", "kick", "room_delete"] + ["room_erase"]
    )  # fmt: skip
    role = next(entry for entry in entries if entry["action"] == "role_set")
    assert (role["actor"], role["service"], role["userId"], role["roomId"]) == ("ada", False, "cat", room)
    assert role["instance"] == last.env["INSTANCE_ID"] and role["outcome"] == "done"
    times = [entry["timestamp"] for entry in entries]
    assert times == sorted(times, reverse=True)
    kept = str(entries)
    assert "secret of Ben" not in kept and "not kept" not in kept and KEY not in kept


def test_pages_and_filters(servers, operator):
    for number in range(7):
        assert operator.call("PUT", f"/internal/bans/user-{number}").status_code == 200
    seen, cursor = [], None
    while True:
        page = operator.get("/internal/audit", limit=3, action="user_ban", before=cursor)
        seen += page["entries"]
        cursor = page.get("cursor")
        if cursor is None:
            break
    assert [entry["userId"] for entry in seen] == [f"user-{number}" for number in reversed(range(7))]
    assert [entry["userId"] for entry in operator.entries(userId="user-3")] == ["user-3"]
    assert len(operator.entries(actor="olga")) == 7 and operator.entries(actor="nobody") == []


def test_the_trail_outlives_a_restart(servers, operator):
    assert operator.call("PUT", "/internal/bans/eve").status_code == 200
    servers[0].restart()
    assert [entry["userId"] for entry in operator.entries(action="user_ban")] == ["eve"]


def test_an_erased_user_is_named_no_more(servers, operator, make_chat):
    make_chat(servers[-1], "eve").close()
    assert operator.call("DELETE", "/internal/users/eve/sessions").status_code == 200
    assert len(operator.entries(userId="eve")) == 1
    assert operator.call("DELETE", "/internal/users/eve", messages="erase").status_code == 202
    eventually(lambda: operator.entries(userId="eve") == [], "the trail does not name the user")
    erasure = operator.wait_for_entry("user_erase")
    assert erasure["userId"] is None and len(erasure["detail"]) == 24
    assert operator.entries(action="kick")[0]["userId"] is None


def test_the_trail_is_bounded(make_server):
    server = make_server(ENVIRONMENT | {"AUDIT_MAX_ENTRIES": "100"})
    operator = Operator(server)
    for number in range(103):
        assert operator.call("DELETE", f"/internal/users/user-{number}/sessions").status_code == 200
    assert len(operator.entries(limit=200)) == 103
    server.restart()
    eventually(lambda: len(operator.entries(limit=200)) == 100, "the oldest entries are removed")
    assert operator.entries(userId="user-0") == [] and len(operator.entries(userId="user-102")) == 1
