"""Watching the people of rooms: participants, as far as the room may be seen."""

import pytest

from presence.test_edges import changes
from support.deadline import eventually

KEY = {"X-Service-Key": "a-service-key-of-length"}
ENVIRONMENT = {"PRESENCE_GRACE_MS": "300", "SERVICE_API_KEY": KEY["X-Service-Key"]}


def make_room(server, room, *participants, private=False):
    body = {"roomId": room, "type": "group", "private": private, "participants": list(participants)}
    answer = server.request("POST", "/api/rooms", json=body, headers={"X-User-Id": participants[0]})
    assert answer.status_code == 201, answer.text


def watch(make_chat, server, name, *rooms):
    chat = make_chat(server, name)
    snapshot = chat.ask("subscribe_presence", {"roomIds": list(rooms)})
    chat.expect("presence_snapshot")
    return chat, {user["userId"]: user["status"] for user in snapshot["users"]}


def change_of(user, status):
    return lambda data: (data["userId"], data["status"]) == (user, status)


def test_only_participants_are_watched(make_server, make_chat):
    server = make_server(ENVIRONMENT)
    make_room(server, "team", "ann", "bob")
    make_room(server, "club", "bob", "cat")
    make_chat(server, "cat")
    chat, snapshot = watch(make_chat, server, "ann", "team", "club")
    assert snapshot == {"ann": "online", "bob": "offline", "cat": "online"}
    make_chat(server, "stranger")
    bob = make_chat(server, "bob")
    chat.expect("user_status_change", change_of("bob", "online"))
    bob.ask("set_status", {"status": "busy"})
    chat.expect("user_status_change", change_of("bob", "busy"))
    chat.read_for(0.5)
    # Of two rooms of theirs, each change comes once.
    assert changes(chat, "bob") == [] and changes(chat, "stranger") == []
    chat.ask("unsubscribe_presence", {"roomIds": ["team"]})
    bob.ask("set_status", {"status": "away"})
    chat.expect("user_status_change", change_of("bob", "away"))
    chat.ask("unsubscribe_presence")
    bob.ask("set_status", {"status": "online"})
    chat.read_for(0.6)
    assert changes(chat, "bob") == []


def test_changes_are_gathered(make_server, make_chat):
    server = make_server(ENVIRONMENT)
    make_room(server, "team", "ann", "bob")
    chat, _ = watch(make_chat, server, "ann", "team")
    bob = make_chat(server, "bob")
    chat.expect("user_status_change", change_of("bob", "online"))
    for number in range(30):
        bob.ask("set_status", {"status": "away" if number % 2 == 0 else "busy"})
    chat.expect("user_status_change", change_of("bob", "busy"))
    chat.read_for(0.5)
    assert len(changes(chat, "bob")) < 10


def test_new_participants_are_seen_and_removed_ones_are_not(make_server, make_chat):
    server = make_server(ENVIRONMENT)
    make_room(server, "team", "ann", "bob", private=True)
    chat, _ = watch(make_chat, server, "ann", "team")
    cat = make_chat(server, "cat")
    as_owner = {"X-User-Id": "ann"}
    assert server.request("PUT", "/api/rooms/team/participants/cat", headers=as_owner).status_code == 200
    chat.expect("user_status_change", change_of("cat", "online"))
    bob, _ = watch(make_chat, server, "bob", "team")
    chat.expect("user_status_change", change_of("bob", "online"))
    assert server.request("DELETE", "/api/rooms/team/participants/bob", headers=as_owner).status_code == 200
    # Once it is known that bob is out, neither sees the other.
    chat.read_for(1)
    bob.inbox.clear()
    cat.ask("set_status", {"status": "busy"})
    bob.ask("set_status", {"status": "busy"})
    chat.expect("user_status_change", change_of("cat", "busy"))
    bob.read_for(0.5)
    assert changes(bob, "cat") == [] and changes(chat, "bob") == []


def test_a_user_that_joins_an_open_room_is_seen(make_server, make_chat):
    server = make_server(ENVIRONMENT)
    make_room(server, "team", "ann")
    chat, _ = watch(make_chat, server, "ann", "team")
    bob = make_chat(server, "bob")
    bob.join("team")
    chat.expect("user_status_change", change_of("bob", "online"))
    bob.close()
    chat.expect("user_status_change", change_of("bob", "offline"))


def test_a_deleted_room_shows_no_users(make_server, make_chat):
    server = make_server(ENVIRONMENT)
    make_room(server, "team", "ann", "bob")
    bob = make_chat(server, "bob")
    chat, _ = watch(make_chat, server, "ann", "team")
    assert server.request("DELETE", "/api/rooms/team", headers={"X-User-Id": "ann"}).status_code == 200
    chat.read_for(0.5)
    bob.ask("set_status", {"status": "busy"})
    chat.read_for(0.5)
    assert changes(chat, "bob") == []


def test_friends_only_holds_in_rooms_too(make_server, make_chat):
    server = make_server(ENVIRONMENT | {"PRESENCE_VISIBILITY": "friends"})
    make_room(server, "team", "ann", "bob", "cat")
    assert server.request("PUT", "/api/users/ann/friends/bob", headers=KEY).status_code == 200
    make_chat(server, "cat")
    chat, snapshot = watch(make_chat, server, "ann", "team")
    assert snapshot == {"ann": "online", "bob": "offline", "cat": "offline"}
    make_chat(server, "bob")
    chat.expect("user_status_change", change_of("bob", "online"))
    assert changes(chat, "cat") == []


@pytest.mark.parametrize(
    ("rooms", "code"),
    [
        (["secret"], "forbidden"),
        (["nowhere"], "forbidden"),
        (["team", "secret"], "forbidden"),
        ([f"r{number}" for number in range(101)], "bad_request"),
        ([], "bad_request"),
        ([{"$ne": 1}], "bad_request"),
    ],
)
def test_a_refused_list_is_refused_as_a_whole(make_server, make_chat, rooms, code):
    server = make_server(ENVIRONMENT)
    make_room(server, "team", "ann", "bob")
    make_room(server, "secret", "cat", "bob", private=True)
    chat = make_chat(server, "ann")
    assert chat.request("subscribe_presence", {"roomIds": rooms})["error"]["code"] == code
    make_chat(server, "bob")
    chat.read_for(0.5)
    assert changes(chat, "bob") == []


def test_rooms_of_other_instances(make_pair, make_chat):
    pair = make_pair()
    one, two = pair.servers
    # They share no store here: each has the room, and its news travels.
    for server in pair.servers:
        make_room(server, "team", "ann", "bob")
    chat, _ = watch(make_chat, one, "ann", "team")
    bob = make_chat(two, "bob")
    chat.expect("user_status_change", change_of("bob", "online"))
    eventually(lambda: pair.status(one, "bob") == "online", "bob is known")
    bob.close()
    chat.expect("user_status_change", change_of("bob", "offline"))
