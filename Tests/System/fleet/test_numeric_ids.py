"""A collection of an older program whose ids are numbers: the same rooms and users as their decimal text."""

import datetime

import pytest
from bson import Int64, ObjectId

from support.talkers import whole_history

START = datetime.datetime(2024, 5, 1, 12, 0, tzinfo=datetime.timezone.utc)
SEVEN = {"X-User-Id": "7"}


def _room(id, participants) -> dict:
    return {"roomId": id, "type": "group", "participants": participants, "createdAt": START, "updatedAt": START}


def _message(number: int, room, user) -> dict:
    return {
        "_id": ObjectId(f"{number:024x}"),
        "roomId": room,
        "userId": user,
        "username": f"User {user}",
        "message": f"old {number}",
        "messageType": "text",
        "timestamp": START.replace(second=number),
        "createdAt": START,
    }


def _insert(fleet) -> None:
    database = fleet.database()
    database["rooms"].insert_many(
        [_room(42, [7, "8"]), _room("42", ["9", 7.0]), _room(Int64(5), [7]), _room("text", ["7"]), _room(2.5, [7])]
    )
    # In every form an id of an older program may have.
    forms = [42, "42", Int64(42), 42.0]
    database["messages"].insert_many([_message(n, forms[n % 4], [7, "7", 8][n % 3]) for n in range(1, 13)])


@pytest.fixture
def numeric(make_fleet):
    return make_fleet(before=_insert)


def test_listed_once_and_entered_with_its_history(numeric, make_chat):
    expected = [(n, f"old {n}") for n in range(1, 13)]
    for server in numeric.servers:
        rooms = {room["roomId"]: room for room in server.get("/api/rooms", headers=SEVEN).json()["rooms"]}
        assert sorted(rooms) == ["42", "5", "text"]
        assert sorted(rooms["42"]["participants"]) == ["7", "8", "9"]
        # The newest is the user's own, and sending is reading.
        assert rooms["42"]["lastMessage"]["content"] == "old 12" and rooms["42"]["unread"] == 0
        assert [(m["seq"], m["message"]) for m in whole_history(server, "42")] == expected
    seven, eight = (make_chat(server, user) for server, user in zip(numeric.servers, ["7", "8"]))
    joined = seven.join("42")
    assert [m["userId"] for m in joined["history"]] == [["7", "7", "8"][n % 3] for n in range(1, 13)]
    assert joined["state"]["members"] == 3
    # A number from a client means its text.
    eight.ask("join_room", {"roomId": 42, "since": 10})
    assert seven.send("42", "new 13")["seq"] == 13
    assert eight.expect("new_message")["message"] == "new 13"
    assert eight.send("42", "new 14")["seq"] == 14
    seven.expect("new_message", lambda message: message["seq"] == 14)
    seven.ask("mark_read", {"roomId": "42", "seq": 14})
    for server in numeric.servers:
        listed = [room for room in server.get("/api/rooms", headers=SEVEN).json()["rooms"] if room["roomId"] == "42"]
        assert [room["unread"] for room in listed] == [0]

    done = numeric.migrate()
    assert done.returncode == 0, done.stderr
    everything = expected + [(13, "new 13"), (14, "new 14")]
    for server in numeric.servers:
        assert [(m["seq"], m["message"]) for m in whole_history(server, "42")] == everything
    seqs = [document["seq"] for document in numeric.database()["messages"].find().sort("seq")]
    assert seqs == list(range(1, 15))


def test_a_removed_user_is_gone_in_every_form(numeric):
    assert numeric.servers[0].request("DELETE", "/api/rooms/42/participants/7", headers=SEVEN).status_code == 200
    for server in numeric.servers:
        rooms = server.get("/api/rooms", headers=SEVEN).json()["rooms"]
        assert sorted(room["roomId"] for room in rooms) == ["5", "text"]
    documents = numeric.database()["rooms"].find({"roomId": {"$in": [42, "42"]}})
    assert sorted(document["participants"] for document in documents) == [["8"], ["9"]]
