"""Rights to enter, read and write: direct rooms, private rooms, participants, and rooms that are deleted."""

import pytest

from support.chat import Refused
from support.deadline import eventually

ENVIRONMENT = {"SERVICE_API_KEY": "service-key-of-the-test-suite-0123456789", "PRESENCE_GRACE_MS": "0"}
SERVICE = {"X-Service-Key": ENVIRONMENT["SERVICE_API_KEY"]}


def by(user):
    return {"X-User-Id": user}


def refusal(call):
    with pytest.raises(Refused) as refused:
        call()
    return {name: refused.value.error[name] for name in ("code", "message", "retryable")}


def test_only_the_two_of_a_direct_room_may_enter_it(shared, make_chat):
    alice, bob, eve = (make_chat(shared, user) for user in ("ann", "ben", "eve"))
    assert alice.join("direct:ann:ben")["state"]["members"] == 2
    alice.send("direct:ann:ben", "between us")
    assert [m["message"] for m in bob.join("direct:ann:ben")["history"]] == ["between us"]
    strange = refusal(lambda: eve.join("direct:ann:ben"))
    unknown = refusal(lambda: eve.join("direct:nobody:noone"))
    assert strange == unknown and strange["code"] == "forbidden", "the refusal does not reveal whether it exists"
    eve_reads = shared.get("/api/chat/direct:ann:ben/history", headers=by("eve"))
    nobody_reads = shared.get("/api/chat/direct:ann:ben/history")
    missing = shared.get("/api/chat/direct:nobody:noone/history", headers=by("eve"))
    assert {eve_reads.status_code, nobody_reads.status_code, missing.status_code} == {403}
    assert eve_reads.json() == missing.json()
    sent = shared.post("/api/chat/direct:ann:ben/messages", headers=by("eve"), json={"message": "hi"})
    assert sent.status_code == 403
    assert shared.get("/api/chat/direct:ann:ben/history", headers=by("ben")).json()["lastSeq"] == 1


@pytest.mark.parametrize("id", ["direct:b:a", "direct:a", "direct:a:b:c", "direct:", "direct::b", "direct:a:a"])
def test_ids_that_name_no_pair_make_no_room(shared, make_chat, id):
    for user in ("a", "b"):
        assert refusal(lambda: make_chat(shared, user).join(id))["code"] in ("forbidden", "bad_request")
    made = shared.post("/api/rooms", headers=by("a"), json={"roomId": id})
    assert made.status_code == 400, made.text


def test_ids_within_a_direct_room_are_percent_encoded(shared, make_chat):
    made = shared.post("/api/rooms", headers=by("a:1"), json={"type": "direct", "participants": ["b%2"]})
    assert made.status_code == 201 and made.json()["room"]["roomId"] == "direct:a%3A1:b%252"
    alice, bob = make_chat(shared, "a:1"), make_chat(shared, "b%2")
    for chat in (alice, bob):
        chat.join("direct:a%3A1:b%252")
    alice.send("direct:a%3A1:b%252", "encoded")
    assert bob.expect("new_message")["message"] == "encoded"


def test_a_direct_room_comes_to_exist_by_the_first_send_over_rest(shared):
    path = "/api/chat/direct:kim:lee/messages"
    assert shared.post(path, headers=by("eve"), json={"message": "x"}).status_code == 403
    assert shared.post(path, headers=by("lee"), json={"message": "first"}).status_code == 201
    assert shared.get("/api/rooms/direct:kim:lee", headers=by("kim")).json()["room"]["participants"] == ["kim", "lee"]


def test_a_direct_room_keeps_its_two(shared):
    shared.post("/api/rooms", headers=by("pat"), json={"type": "direct", "participants": ["quinn"]})
    for method, user in (("PUT", "eve"), ("DELETE", "pat")):
        answer = shared.request(method, f"/api/rooms/direct:pat:quinn/participants/{user}", headers=SERVICE)
        assert answer.status_code == 400, answer.text


def test_an_unknown_group_is_not_made_by_rest_reads_or_sends(shared, room):
    assert shared.get(f"/api/chat/{room}/history").status_code == 403
    assert shared.post(f"/api/chat/{room}/messages", headers=by("a"), json={"message": "x"}).status_code == 403


def test_joining_makes_an_open_group_unless_configured_otherwise(make_server, make_chat):
    server = make_server({"ROOM_CREATE_ON_JOIN": "false"})
    alice = make_chat(server, "alice")
    assert refusal(lambda: alice.join("new"))["code"] == "forbidden"
    assert server.post("/api/rooms", headers=by("bob"), json={"roomId": "new"}).status_code == 201
    assert alice.join("new")["state"]["lastSeq"] == 0


def test_a_private_room_takes_in_participants_only(shared, make_chat, room):
    made = shared.post("/api/rooms", headers=by("alice"), json={"roomId": room, "private": True, "participants": ["bob"]})
    assert made.status_code == 201 and made.json()["room"]["private"] is True
    alice, bob, eve = (make_chat(shared, user) for user in ("alice", "bob", "eve"))
    alice.join(room)
    bob.join(room)
    assert refusal(lambda: eve.join(room)) == refusal(lambda: eve.join("direct:nobody:noone"))
    assert shared.get(f"/api/chat/{room}/history", headers=by("eve")).status_code == 403
    assert shared.get(f"/api/rooms/{room}").status_code == 403

    assert shared.request("PUT", f"/api/rooms/{room}/participants/eve", headers=by("bob")).status_code == 403
    assert shared.request("PUT", f"/api/rooms/{room}/participants/eve", headers=by("alice")).status_code == 200
    assert eve.join(room)["state"]["members"] == 3


def test_a_removed_user_is_out_at_once(shared, make_chat, room):
    shared.post("/api/rooms", headers=by("alice"), json={"roomId": room, "private": True, "participants": ["bob"]})
    alice, bob = make_chat(shared, "alice"), make_chat(shared, "bob")
    alice.join(room)
    bob.join(room)
    assert shared.request("DELETE", f"/api/rooms/{room}/participants/bob", headers=by("alice")).status_code == 200
    assert alice.expect("user_left")["userId"] == "bob"
    assert bob.expect_error("forbidden")["event"] == "join_room"
    alice.send(room, "without bob")
    bob.settle()
    assert bob.events("new_message") == []
    assert refusal(lambda: bob.send(room, "still here"))["code"] == "not_joined"
    assert refusal(lambda: bob.join(room))["code"] == "forbidden"


def test_joining_an_open_room_makes_a_participant_who_may_go(shared, make_chat, room):
    bob = make_chat(shared, "bob")
    bob.join(room)

    def rooms():
        return [each["roomId"] for each in shared.get("/api/rooms", headers=by("bob")).json()["rooms"]]

    eventually(lambda: room in rooms(), "bob is recorded")
    bob.ask("leave_room", {"roomId": room})
    assert room in rooms(), "membership stays"
    assert shared.request("DELETE", f"/api/rooms/{room}/participants/bob", headers=by("bob")).status_code == 200
    assert room not in rooms()
    assert shared.request("DELETE", f"/api/rooms/{room}/participants/bob", headers=by("bob")).status_code == 404


def test_past_the_limit_newcomers_take_part_unrecorded(make_server, make_chat):
    server = make_server({"ROOM_MAX_PARTICIPANTS": "2", "PRESENCE_GRACE_MS": "0"})
    chats = [make_chat(server, user) for user in ("a", "b", "c")]
    for chat in chats:
        state = chat.join("small")["state"]
    assert state == {"roomId": "small", "lastSeq": 0, "members": 2, "online": 3}
    chats[2].send("small", "from c")
    assert chats[0].expect("new_message")["userId"] == "c"
    assert server.get("/api/rooms", headers=by("c")).json()["rooms"] == []


def test_a_deleted_room_is_unreachable_and_its_numbering_continues(shared, make_chat, room):
    shared.post("/api/rooms", headers=by("alice"), json={"roomId": room, "name": "First"})
    alice, bob = make_chat(shared, "alice"), make_chat(shared, "bob")
    for chat in (alice, bob):
        chat.join(room)
    assert alice.send(room, "old")["seq"] == 1
    assert shared.request("DELETE", f"/api/rooms/{room}", headers=by("bob")).status_code == 403
    assert shared.request("DELETE", f"/api/rooms/{room}", headers=by("alice")).status_code == 200
    for chat in (alice, bob):
        chat.expect_error("forbidden")
        assert refusal(lambda: chat.send(room, "x"))["code"] == "not_joined"
    assert shared.get(f"/api/chat/{room}/history").status_code == 403
    assert shared.get(f"/api/rooms/{room}", headers=by("alice")).status_code == 403

    assert shared.post("/api/rooms", headers=by("bob"), json={"roomId": room}).status_code == 201
    joined = bob.join(room)
    assert joined["history"] == [] and joined["state"]["lastSeq"] == 1
    assert bob.send(room, "new")["seq"] == 2
    history = shared.get(f"/api/chat/{room}/history").json()
    assert [m["message"] for m in history["messages"]] == ["new"] and history["hasMore"] is False
