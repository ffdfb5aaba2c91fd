"""What the service stores in MongoDB, read with a stock client as another program would."""

import datetime
import math

import pytest
from bson import ObjectId
from pymongo.errors import DuplicateKeyError
from support.deadline import eventually

ALICE = {"X-User-Id": "alice"}


def test_messages(fleet, make_chat, room):
    for server, user in zip(fleet.servers, ["alice", "bob"]):
        chat = make_chat(server, user, user.title())
        chat.join(room)
        ack = chat.send(room, f"from {user}", clientMessageId=f"id-{user}", messageType="text")
    documents = list(fleet.database()["messages"].find({"roomId": room}).sort("seq"))
    assert [document["seq"] for document in documents] == [1, 2]
    last = documents[-1]
    assert last["_id"] == ObjectId(ack["messageId"])
    expected = {"roomId": room, "seq": 2, "userId": "bob", "username": "Bob", "message": "from bob", "messageType": "text"}
    assert {name: last[name] for name in expected} == expected
    assert last["clientMessageId"] == "id-bob"
    for name in ("timestamp", "createdAt"):
        assert isinstance(last[name], datetime.datetime)
    assert round(last["timestamp"].timestamp() * 1000) == ack["timestamp"]


def test_rooms(fleet, make_chat, room):
    one, two = fleet.servers
    body = {"roomId": room, "name": "Named", "participants": ["bob"]}
    assert one.post("/api/rooms", headers=ALICE, json=body).status_code == 201
    bob = make_chat(two, "bob")
    bob.join(room)
    ack = bob.send(room, "the newest")
    rooms = fleet.database()["rooms"]
    kept = eventually(lambda: rooms.find_one({"roomId": room, "lastMessage.content": "the newest"}), "lastMessage follows")
    assert isinstance(kept["_id"], ObjectId)
    assert (kept["type"], sorted(kept["participants"])) == ("group", ["alice", "bob"])
    assert set(kept["lastMessage"]) == {"content", "timestamp", "senderId"}
    assert kept["lastMessage"]["senderId"] == "bob"
    assert round(kept["lastMessage"]["timestamp"].timestamp() * 1000) == ack["timestamp"]
    for name in ("createdAt", "updatedAt"):
        assert isinstance(kept[name], datetime.datetime)
    assert kept["updatedAt"] >= kept["createdAt"]


def test_direct_rooms(fleet, make_chat):
    first = make_chat(fleet.servers[0], "ann%:1")
    id = "direct:ann%25%3A1:zoe"
    first.join(id)
    kept = fleet.database()["rooms"].find_one({"roomId": id})
    assert kept is not None and kept["type"] == "direct"
    assert sorted(kept["participants"]) == ["ann%:1", "zoe"]


def test_indexes(fleet):
    messages = fleet.database()["messages"].index_information().values()
    number = next(index for index in messages if index["key"] == [("roomId", 1), ("seq", 1)])
    # As great as any number is every number, and nothing else.
    assert number["unique"] is True and number["partialFilterExpression"] == {"seq": {"$gte": -math.inf}}
    client = next(
        index for index in messages if index["key"] == [("roomId", 1), ("userId", 1), ("clientMessageId", 1)]
    )
    assert client["unique"] is True and client["partialFilterExpression"] == {"clientMessageId": {"$gte": ""}}
    rooms = fleet.database()["rooms"].index_information().values()
    assert next(index for index in rooms if index["key"] == [("roomId", 1)])["unique"] is True
    assert any(index["key"] == [("participants", 1)] for index in rooms)


def test_only_numbers_and_texts_have_to_be_unique(fleet, room):
    """Other values in these fields, or missing fields, are no conflict."""
    messages = fleet.database()["messages"]
    for seq, client in ((None, None), ("7", 7), (True, {"a": 1})):
        for _ in range(2):
            messages.insert_one({"roomId": room, "userId": "u", "seq": seq, "clientMessageId": client})
    messages.insert_one({"roomId": room, "userId": "u", "seq": 7, "clientMessageId": ""})
    for again in ({"seq": 7.0}, {"clientMessageId": ""}):
        with pytest.raises(DuplicateKeyError):
            messages.insert_one({"roomId": room, "userId": "u", **again})
    messages.delete_many({"roomId": room})


def test_a_room_another_program_made(fleet, make_chat, room):
    """With the fields it knew, and no others."""
    now = datetime.datetime.now(datetime.timezone.utc)
    fleet.database()["rooms"].insert_one(
        {"roomId": room, "type": "group", "participants": ["bob"], "createdAt": now, "updatedAt": now, "theirs": {"a": 1}}
    )
    alice, bob = (make_chat(server, user) for server, user in zip(fleet.servers, ["alice", "bob"]))
    for chat in (alice, bob):
        chat.join(room)
    alice.send(room, "found it")
    assert bob.expect("new_message")["seq"] == 1
    kept = eventually(
        lambda: fleet.database()["rooms"].find_one({"roomId": room, "participants": "alice"}), "alice is recorded"
    )
    assert kept["theirs"] == {"a": 1} and "bob" in kept["participants"]
    mine = fleet.servers[1].get("/api/rooms", headers={"X-User-Id": "bob"}).json()["rooms"]
    assert room in [each["roomId"] for each in mine]
