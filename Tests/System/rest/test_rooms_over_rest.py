"""Rooms over REST: making, reading, listing, changing and deleting them, and the callers that may."""

import time

import pytest

from support.deadline import eventually

ENVIRONMENT = {"SERVICE_API_KEY": "service-key-of-the-test-suite-0123456789"}
SERVICE = {"X-Service-Key": ENVIRONMENT["SERVICE_API_KEY"]}


def by(user):
    return {"X-User-Id": user}


def test_a_room_as_it_is_made_and_read(shared, room):
    made = shared.post(
        "/api/rooms", headers=by("alice"), json={"roomId": room, "name": "Ümlaut", "participants": ["bob", 7, "bob"]}
    )
    assert made.status_code == 201
    body = made.json()
    assert body["success"] is True
    expected = {"roomId": room, "type": "group", "private": False, "name": "Ümlaut", "owner": "alice"}
    assert {name: body["room"][name] for name in expected} == expected
    assert sorted(body["room"]["participants"]) == ["7", "alice", "bob"]
    assert isinstance(body["room"]["createdAt"], int)
    assert shared.get(f"/api/rooms/{room}").json()["room"] == body["room"]


def test_a_room_without_an_id_gets_one(shared):
    first, second = (shared.post("/api/rooms", headers=by("alice"), json={}).json()["room"]["roomId"] for _ in range(2))
    assert first != second and 1 <= len(first) <= 128


def test_a_taken_id_is_a_conflict_and_a_direct_room_is_found_again(shared, room):
    assert shared.post("/api/rooms", headers=by("alice"), json={"roomId": room}).status_code == 201
    again = shared.post("/api/rooms", headers=by("bob"), json={"roomId": room})
    assert again.status_code == 409 and again.json()["code"] == "conflict"
    direct = {"type": "direct", "participants": ["zoe"]}
    first = shared.post("/api/rooms", headers=by("yan"), json=direct)
    found = shared.post("/api/rooms", headers=by("yan"), json=direct)
    assert (first.status_code, found.status_code) == (201, 200)
    assert found.json()["room"]["roomId"] == first.json()["room"]["roomId"] == "direct:yan:zoe"


@pytest.mark.parametrize(
    "body",
    [{"type": "secret"}, {"roomId": ""}, {"roomId": "x" * 129}, {"roomId": {}}, {"name": "x" * 129}, {"name": 7},
     {"private": "yes"}, {"participants": "bob"}, {"participants": [{}]}, {"participants": [f"u{n}" for n in range(1001)]},
     {"type": "direct"}, {"type": "direct", "participants": ["alice"]}, {"type": "direct", "participants": ["b", "c"]},
     {"type": "direct", "participants": ["bob"], "roomId": "mine"}, {"roomId": "direct:a:b"}],
    ids=lambda body: str(body)[:50],
)  # fmt: skip
def test_invalid_rooms_are_refused(shared, body):
    answer = shared.post("/api/rooms", headers=by("alice"), json=body)
    assert answer.status_code == 400 and answer.json()["code"] == "bad_request", answer.text


def test_nameless_callers_neither_make_nor_list_rooms(shared):
    assert shared.post("/api/rooms", json={"roomId": "x"}).status_code == 401
    assert shared.get("/api/rooms").status_code == 401


def test_my_rooms_with_last_message_and_unread(shared, room):
    user = f"lister-{room}"
    for number in range(3):
        shared.post("/api/rooms", headers=by(user), json={"roomId": f"{room}-{number}"})
    for number in (0, 0, 2):
        sent = shared.post(f"/api/chat/{room}-{number}/messages", headers=by("bob"), json={"message": f"in {number}"})
        eventually(lambda: time.time() * 1000 > sent.json()["timestamp"] + 1, "the clock has moved on")
    rooms = shared.get("/api/rooms", headers=by(user)).json()["rooms"]
    assert {each["roomId"]: each["unread"] for each in rooms} == {f"{room}-0": 2, f"{room}-1": 0, f"{room}-2": 1}
    assert rooms[0]["roomId"] == f"{room}-2", "the most lately active first"
    assert rooms[0]["lastMessage"]["content"] == "in 2" and rooms[0]["lastMessage"]["senderId"] == "bob"
    assert next(each for each in rooms if each["roomId"] == f"{room}-1")["lastMessage"] is None
    assert all(each["lastReadSeq"] == 0 for each in rooms)


def test_the_owner_renames(shared, make_chat, room):
    shared.post("/api/rooms", headers=by("alice"), json={"roomId": room, "name": "Old"})
    path = f"/api/rooms/{room}"
    assert shared.request("PATCH", path, headers=by("bob"), json={"name": "Mine"}).status_code == 403
    assert shared.request("PATCH", path, headers=by("alice"), json={}).status_code == 400
    renamed = shared.request("PATCH", path, headers=by("alice"), json={"name": "New"})
    assert renamed.status_code == 200 and renamed.json()["room"]["name"] == "New"
    assert shared.get(path).json()["room"]["name"] == "New"
    assert shared.request("PATCH", path, headers=SERVICE, json={"name": None}).json()["room"]["name"] is None


def test_the_owner_closes_a_room_to_others_and_opens_it(shared, make_chat, room):
    shared.post("/api/rooms", headers=by("alice"), json={"roomId": room, "name": "Kept"})
    path = f"/api/rooms/{room}"
    bob = make_chat(shared, "bob")
    bob.join(room)
    assert shared.request("PATCH", path, headers=by("bob"), json={"private": True}).status_code == 403
    for wrong in ("yes", 1, None):
        assert shared.request("PATCH", path, headers=by("alice"), json={"private": wrong}).status_code == 400
    closed = shared.request("PATCH", path, headers=by("alice"), json={"private": True}).json()["room"]
    assert closed["private"] is True and closed["name"] == "Kept"
    # Bob took part before, and does so still; Eve comes too late.
    assert bob.send(room, "still here")["success"] is True
    eve = make_chat(shared, "eve")
    eve.emit("join_room", {"roomId": room})
    eve.expect_error("forbidden")
    assert shared.get(f"/api/chat/{room}/history", headers=by("eve")).status_code == 403
    opened = shared.request("PATCH", path, headers=by("alice"), json={"private": False, "name": "Open"}).json()["room"]
    assert opened["private"] is False and opened["name"] == "Open"
    eve.join(room)


def test_closing_a_room_removes_users_that_are_no_participants(make_server, make_chat, room):
    server = make_server({"ROOM_MAX_PARTICIPANTS": "2"})
    server.post("/api/rooms", headers=by("alice"), json={"roomId": room, "participants": ["bob"]})
    bob, eve = make_chat(server, "bob"), make_chat(server, "eve")
    for chat in (bob, eve):
        chat.join(room)
    assert server.request("PATCH", f"/api/rooms/{room}", headers=by("alice"), json={"private": True}).status_code == 200
    assert bob.expect("user_left")["userId"] == "eve"
    assert eve.request("send_message", {"roomId": room, "message": "let me stay"})["error"]["code"] == "not_joined"
    assert bob.send(room, "quiet now")["success"] is True


def test_a_direct_room_is_private_and_stays_so(shared, room):
    direct = {"type": "direct", "participants": [f"{room}-b"]}
    made = shared.post("/api/rooms", headers=by(f"{room}-a"), json=direct).json()["room"]
    answer = shared.request("PATCH", f"/api/rooms/{made['roomId']}", headers=SERVICE, json={"private": False})
    assert answer.status_code == 400 and answer.json()["code"] == "bad_request"


def test_the_list_comes_in_pages(shared, room):
    user = by(f"{room}-lister")
    made = [f"{room}-{number}" for number in range(7)]
    for id in made:
        assert shared.post("/api/rooms", headers=user, json={"roomId": id}).status_code == 201
    listed, cursor, pages = [], None, 0
    while cursor or not pages:
        page = shared.get("/api/rooms", headers=user, params={"limit": 3} | ({"cursor": cursor} if cursor else {})).json()
        listed += [entry["roomId"] for entry in page["rooms"]]
        cursor, pages = page.get("cursor"), pages + 1
    assert pages == 3 and sorted(listed) == sorted(made)
    assert "cursor" not in shared.get("/api/rooms", headers=user).json()
    for wrong in ({"limit": 0}, {"limit": 201}, {"cursor": "x"}, {"cursor": "99999999999999999999:a"}, {"cursor": "1:"}):
        assert shared.get("/api/rooms", headers=user, params=wrong).status_code == 400


def test_a_room_made_by_joining_is_changed_by_services_only(shared, make_chat, room):
    make_chat(shared, "alice").join(room)
    assert shared.request("DELETE", f"/api/rooms/{room}", headers=by("alice")).status_code == 403
    assert shared.request("DELETE", f"/api/rooms/{room}", headers=SERVICE).status_code == 200
    assert shared.request("DELETE", f"/api/rooms/{room}", headers=SERVICE).status_code in (403, 404)


def test_the_service_acts_in_its_own_name_and_in_users_names(shared, room):
    made = shared.post("/api/rooms", headers=SERVICE, json={"roomId": room, "private": True, "participants": ["bob"]})
    assert made.status_code == 201 and made.json()["room"]["owner"] is None
    assert shared.get(f"/api/rooms/{room}", headers=SERVICE).status_code == 200
    assert shared.request("PUT", f"/api/rooms/{room}/participants/eve", headers=SERVICE).status_code == 200
    sent = shared.post(f"/api/chat/{room}/messages", headers=SERVICE | by("eve"), json={"message": "for eve"})
    assert sent.status_code == 201
    history = shared.get(f"/api/chat/{room}/history", headers=SERVICE).json()
    assert [m["userId"] for m in history["messages"]] == ["eve"]


@pytest.mark.parametrize("key", ["", "wrong", ENVIRONMENT["SERVICE_API_KEY"][:-1], ENVIRONMENT["SERVICE_API_KEY"] + "x"])
def test_a_wrong_service_key_is_refused_even_where_none_is_needed(shared, key):
    answer = shared.get("/api/rooms", headers={"X-Service-Key": key} | by("alice"))
    assert answer.status_code == 401 and answer.json()["code"] == "unauthorized"
