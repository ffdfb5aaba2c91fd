"""A change of who may do what, made at one instance, is in force at the other when the call returns."""

from role_calls import by, code_of, delete, make_room, patch, post_code, put, send_code
from support.deadline import eventually


def test_a_ban(fleet, make_chat, room):
    one, two = fleet.servers
    make_room(one, room, participants=["bob"])
    owner, bob = make_chat(one, "owner"), make_chat(two, "bob")
    for chat in (owner, bob):
        chat.join(room)
    put(one, f"/api/rooms/{room}/bans/bob", reason="spam")
    assert send_code(bob, room) in ("not_joined", "banned")
    assert code_of(bob.request("join_room", {"roomId": room})) == "banned"
    assert bob.expect("error", lambda error: error["code"] == "banned")["roomId"] == room
    assert owner.expect("user_left")["userId"] == "bob"
    for server in fleet.servers:
        assert post_code(server, room, "bob") == "banned"
        assert server.get(f"/api/chat/{room}/history", headers=by("bob")).json()["code"] == "banned"
    delete(two, f"/api/rooms/{room}/bans/bob", user="owner")
    for server in fleet.servers:
        assert post_code(server, room, "bob") is None


def test_a_mute_a_role_and_read_only(fleet, make_chat, room):
    one, two = fleet.servers
    make_room(one, room, participants=["bob"])
    owner, bob = make_chat(one, "owner"), make_chat(two, "bob")
    for chat in (owner, bob):
        chat.join(room)
    for _ in range(3):
        put(one, f"/api/rooms/{room}/mutes/bob")
        assert send_code(bob, room) == "muted"
        delete(one, f"/api/rooms/{room}/mutes/bob")
        assert send_code(bob, room) is None
    patch(one, room, readOnly=True)
    assert send_code(bob, room) == "forbidden"
    put(one, f"/api/rooms/{room}/roles/bob", role="moderator")
    assert send_code(bob, room) is None
    patch(one, room, owner="bob")
    assert put(two, f"/api/rooms/{room}/roles/owner", user="bob", role="moderator")
    assert send_code(owner, room) is None


def test_slow_mode_counts_messages_of_all_instances(fleet, make_chat, room):
    one, two = fleet.servers
    make_room(one, room, participants=["bob"])
    patch(one, room, slowModeSeconds=3600)
    first, second = make_chat(one, "bob"), make_chat(two, "bob")
    for chat in (first, second):
        chat.join(room)
    first.send(room, "first")
    assert second.expect("new_message")["message"] == "first"
    assert send_code(second, room) == "rate_limited"
    # An instance that has just read the room knows too.
    assert post_code(two, room, "bob") == "rate_limited"


def test_slow_mode_of_a_room_without_members(fleet, room):
    one, two = fleet.servers
    make_room(one, room, participants=["bob"])
    patch(one, room, slowModeSeconds=3600)
    assert post_code(one, room, "bob") is None
    eventually(lambda: post_code(two, room, "bob") == "rate_limited", "the other instance knows")


def test_a_ban_while_redis_is_away(make_fleet, make_chat):
    """The other instance got no notice; it reads the room before it serves it."""
    fleet = make_fleet()
    one, two = fleet.servers
    make_room(one, "lobby", participants=["bob"])
    bob = make_chat(two, "bob")
    bob.join("lobby")
    fleet.redis.kill()
    put(one, "/api/rooms/lobby/bans/bob")
    assert send_code(bob, "lobby") in ("banned", "not_joined")
    assert post_code(two, "lobby", "bob") == "banned"
    fleet.redis.start()
    eventually(lambda: code_of(bob.request("join_room", {"roomId": "lobby"})) == "banned", "the ban holds")
