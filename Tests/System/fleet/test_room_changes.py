"""A change of a room over REST at one instance holds at the other."""

from support.deadline import eventually

ALICE = {"X-User-Id": "alice"}


def _make(server, room: str, **fields) -> None:
    answer = server.post("/api/rooms", headers=ALICE, json={"roomId": room, **fields})
    assert answer.status_code == 201, answer.text


def test_renaming(fleet, make_chat, room):
    one, two = fleet.servers
    _make(one, room, name="Before", participants=["bob"])
    # Both instances have it in memory.
    for server, user in zip(fleet.servers, ["alice", "bob"]):
        make_chat(server, user).join(room)
    assert two.request("PATCH", f"/api/rooms/{room}", headers=ALICE, json={"name": "After"}).status_code == 200
    for server in fleet.servers:
        eventually(lambda s=server: _name(s, room) == "After", "the new name is known")


def test_closing_and_opening(fleet, make_chat, room):
    one, two = fleet.servers
    _make(one, room)
    for server, user in zip(fleet.servers, ["alice", "bob"]):
        make_chat(server, user).join(room)
    for is_private, status in ((True, 403), (False, 200)):
        answer = one.request("PATCH", f"/api/rooms/{room}", headers=ALICE, json={"private": is_private})
        assert answer.status_code == 200
        # Asking, unlike joining, makes no participant.
        history = lambda: two.get(f"/api/chat/{room}/history", headers={"X-User-Id": "eve"})
        eventually(lambda: history().status_code == status, "it holds at the other")


def _name(server, room: str) -> str:
    return server.get(f"/api/rooms/{room}", headers=ALICE).json()["room"]["name"]


def test_admitting_and_expelling(fleet, make_chat, room):
    one, two = fleet.servers
    _make(one, room, private=True)
    alice = make_chat(one, "alice")
    alice.join(room)
    # The other instance knows the room, and that bob may not enter it.
    bob = make_chat(two, "bob")
    refused = bob.request("join_room", {"roomId": room})
    assert refused["success"] is False and refused["error"]["code"] in ("forbidden", "room_unavailable")
    assert one.request("PUT", f"/api/rooms/{room}/participants/bob", headers=ALICE).status_code in (200, 201, 204)
    eventually(lambda: bob.request("join_room", {"roomId": room})["success"], "bob may enter")
    bob.send(room, "thank you")
    alice.expect("new_message")
    assert one.request("DELETE", f"/api/rooms/{room}/participants/bob", headers=ALICE).status_code in (200, 204)
    eventually(lambda: _code(bob, room) in ("not_joined", "forbidden", "room_unavailable"), "bob is out")
    assert alice.expect("user_left")["userId"] == "bob"
    for server in fleet.servers:
        history = server.get(f"/api/chat/{room}/history", headers={"X-User-Id": "bob"})
        assert history.status_code in (403, 404)


def _code(chat, room: str) -> str | None:
    reply = chat.request("send_message", {"roomId": room, "message": "still here?"})
    return None if reply["success"] else reply["error"]["code"]


def test_deleting(fleet, make_chat, room):
    one, two = fleet.servers
    _make(one, room)
    chats = [make_chat(server, user) for server, user in zip(fleet.servers, ["alice", "bob"])]
    for chat in chats:
        chat.join(room)
    chats[0].send(room, "last words")
    chats[1].expect("new_message")
    assert two.request("DELETE", f"/api/rooms/{room}", headers=ALICE).status_code in (200, 204)
    for chat in chats:
        eventually(lambda chat=chat: _code(chat, room) is not None, "no user is in it")
    for server in fleet.servers:
        gone = server.get(f"/api/chat/{room}/history", headers=ALICE)
        assert gone.status_code in (403, 404) or gone.json()["messages"] == []
    # The id may be used again; numbering continues, so that no client takes a new message for an old one.
    _make(two, room)
    again = make_chat(one, "alice")
    again.join(room)
    assert again.send(room, "a new beginning")["seq"] == 2


def test_changes_while_redis_was_away(make_fleet, make_chat):
    """No instance got the news; each reads the store when it has contact again."""
    fleet = make_fleet()
    one, two = fleet.servers
    _make(one, "closed", private=True, participants=["bob", "carol"])
    _make(one, "doomed")
    _make(one, "named", name="Before")
    chats = {user: make_chat(two, user) for user in ("bob", "carol")}
    for chat in chats.values():
        for room in ("closed", "doomed", "named"):
            chat.join(room)
    fleet.redis.kill()
    assert one.request("DELETE", "/api/rooms/closed/participants/bob", headers=ALICE).status_code in (200, 204)
    assert one.request("DELETE", "/api/rooms/doomed", headers=ALICE).status_code in (200, 204)
    assert one.request("PATCH", "/api/rooms/named", headers=ALICE, json={"name": "After"}).status_code == 200
    fleet.redis.start()
    eventually(lambda: _code(chats["bob"], "closed") is not None, "bob is out")
    eventually(lambda: _code(chats["carol"], "doomed") is not None, "the room is gone")
    eventually(lambda: _name(two, "named") == "After", "the new name is known")
    assert _code(chats["carol"], "closed") is None, "permitted users stay"
