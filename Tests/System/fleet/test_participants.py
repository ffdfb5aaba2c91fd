"""A user who joined is a participant everywhere: on all instances, in the store, and at once."""

from support.deadline import eventually

ALICE = {"X-User-Id": "alice"}


def members(server, room: str) -> int:
    return server.get(f"/api/rooms/{room}", headers=ALICE).json()["room"]["members"]


def test_an_answered_join_is_in_the_store(fleet, make_chat, room):
    """Rooms made by a join on one instance, joined on the other, and the first to join them when they are in memory there."""
    one, two = fleet.servers
    chats = {name: make_chat(server, name) for name, server in zip(("alice", "bob", "carol"), (one, two, two))}
    rooms = fleet.database()["rooms"]
    for number in range(10):
        name = f"{room}-{number}"
        for count, (user, chat) in enumerate(chats.items(), 1):
            reply = chat.ask("join_room", {"roomId": name})
            stored = rooms.find_one({"roomId": name})
            assert stored and user in stored["participants"], f"{user} in {name}"
            assert len(stored["participants"]) == count
            assert reply["members"] == count, "as many as joined before, wherever they did"


def test_instances_agree_on_members(fleet, make_chat, room):
    one, two = fleet.servers
    for number in range(8):
        make_chat(fleet.servers[number % 2], f"user-{number}").join(room)
    for server in (one, two):
        eventually(lambda s=server: members(s, room) == 8, "all eight are known")
    # A user who leaves stays a participant, and a removed user does not.
    assert one.request("DELETE", f"/api/rooms/{room}/participants/user-3", headers={"X-User-Id": "user-3"}).status_code == 200
    for server in (one, two):
        eventually(lambda s=server: members(s, room) == 7, "seven are left")


def test_a_join_while_the_store_is_away(make_fleet, make_chat):
    """A new participant is refused as retryable; an existing one joins a room in memory as before."""
    fleet = make_fleet()
    one, _ = fleet.servers
    alice = make_chat(one, "alice")
    alice.join("lobby")
    bob = make_chat(one, "bob")
    fleet.mongo.kill()
    refused = bob.request("join_room", {"roomId": "lobby"}, timeout=20)
    assert refused["success"] is False and refused["error"]["code"] == "storage_unavailable"
    assert refused["error"]["retryable"] is True
    alice.ask("leave_room", {"roomId": "lobby"})
    assert alice.ask("join_room", {"roomId": "lobby"}, timeout=20)["success"]
    fleet.mongo.start()
    eventually(lambda: bob.request("join_room", {"roomId": "lobby"}, timeout=20)["success"], "bob is in")
    stored = fleet.database()["rooms"].find_one({"roomId": "lobby"})
    assert stored and set(stored["participants"]) == {"alice", "bob"}
