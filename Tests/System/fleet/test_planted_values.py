"""Values that no program of ours writes, in Redis and MongoDB: the instances live on, and answer."""

import datetime
import json

import pytest
from bson import Int64, ObjectId

from support.deadline import eventually

EXTREMES = [1e300, -1e300, 2**63 - 1, -(2**63), 1e17, -1e17, -1, 0, 1.5]
ALICE = {"X-User-Id": "alice"}
WHEN = datetime.datetime(2024, 5, 1, tzinfo=datetime.timezone.utc)


def stored(value):
    """As MongoDB keeps it: a large integer is no double."""
    return Int64(value) if isinstance(value, int) else value


def message(room, number: int, **fields) -> dict:
    document = {
        "_id": ObjectId(),
        "roomId": room,
        "userId": "ann",
        "username": "Ann",
        "message": f"old {number}",
        "messageType": "text",
        "timestamp": WHEN + datetime.timedelta(seconds=number),
        "createdAt": WHEN,
    }
    return document | fields


def numbers(page) -> list[int]:
    return [message["seq"] for message in page]


def answers(fleet) -> None:
    for server in fleet.servers:
        assert server.get("/health").status_code == 200


def test_an_id_of_the_smallest_integer(fleet):
    for server in fleet.servers:
        answer = server.get("/online-status?ids=-9223372036854775808,9223372036854775807,-5", headers=ALICE)
        assert [each["id"] for each in answer.json()] == ["-9223372036854775808", "9223372036854775807", -5]
    answers(fleet)


@pytest.mark.parametrize("value", EXTREMES, ids=str)
def test_numbers_in_mongodb(fleet, make_chat, room, value):
    database, value = fleet.database(), stored(value)
    fields = {name: value for name in ("historyBase", "lastSeq", "createdAt", "updatedAt")}
    if value == 0:
        # That is what a room without an earlier life has.
        fields = {"createdAt": value, "updatedAt": value}
    database["rooms"].insert_one({"roomId": room, "type": "group", "participants": ["alice", value], **fields})
    database["messages"].insert_one(message(room, 1, seq=value))
    database["chatReadMarks"].insert_one({"roomId": room, "userId": "alice", "seq": value})
    alice, bob = (make_chat(server, user) for server, user in zip(fleet.servers, ["alice", "bob"]))
    for chat in (alice, bob):
        chat.join(room, since=0)
    # A fraction counts as the number below it, where one has to be found that is free.
    first = 2 if value == 1.5 else 1
    assert alice.send(room, "hello")["seq"] == first
    assert bob.expect("new_message")["seq"] == first
    database["chatReadMarks"].insert_many([{"roomId": room, "userId": user, "seq": value} for user in ("carl", "dora")])
    for server in fleet.servers:
        page = server.get(f"/api/chat/{room}/read-marks?limit=1", headers=ALICE).json()
        rest = server.get(f"/api/chat/{room}/read-marks?cursor={page['cursor']}", headers=ALICE).json()
        marks = {mark["userId"]: mark["seq"] for mark in page["readMarks"] + rest["readMarks"]}
        assert marks["carl"] == marks["dora"] == (1 if value == 1.5 else 0)
        assert server.get(f"/api/chat/{room}/history", headers=ALICE).json()["messages"][-1]["message"] == "hello"
        listed = server.get("/api/rooms", headers=ALICE).json()["rooms"]
        assert any(each["roomId"] == room for each in listed)
    answers(fleet)


def test_messages_that_an_operator_erased(fleet, make_chat, room):
    erased = [3, 4, 5, 11, 20, 21, 22, 23, 24]
    left = [number for number in range(1, 41) if number not in erased]
    database = fleet.database()
    database["rooms"].insert_one({"roomId": room, "type": "group", "participants": ["alice"], "createdAt": WHEN})
    database["messages"].insert_many([message(room, number, seq=number) for number in left])
    for server in fleet.servers:
        for since in (39, 22, 19, 10, 4, 3, 2, 0):
            # Each is shown what those before it left in memory, and what has to be read beside.
            chat = make_chat(server, f"resuming-{since}")
            assert numbers(chat.join(room, since=since)["history"]) == [n for n in left if n > since]
            assert numbers(chat.join(room, limit=10)["history"]) == [n for n in left if n > 30]
        page = server.get(f"/api/chat/{room}/history?limit=1000").json()
        assert numbers(page["messages"]) == left
    alice, bob = (make_chat(server, user) for server, user in zip(fleet.servers, ["alice", "bob"]))
    for chat in (alice, bob):
        assert numbers(chat.join(room, since=21)["history"]) == list(range(25, 41))
    assert alice.send(room, "goes on")["seq"] == 41
    assert bob.expect("new_message")["seq"] == 41
    answers(fleet)


@pytest.mark.parametrize("value", EXTREMES, ids=str)
def test_presence_in_redis(fleet, make_chat, room, value):
    keys, user = fleet.keys(), f"user-{room}"
    number = json.dumps(value)
    # Where all of it is as it should be, it is a session like others, which a busy one outranks.
    record = {"instance": "gone", "username": "U", "wish": "away", "connectedAt": 1, "lastActiveAt": 1, "order": 1}
    standing = {"own": "away", "name": "U", "seen": value, "seenText": "x", "sessions": value}
    for field in ("connectedAt", "lastActiveAt", "order"):
        keys.hset(f"chat-service:user:{user}", field, json.dumps(record | {field: value}))
    keys.hset(f"chat-service:user:{user}", "", json.dumps(standing))
    keys.hset(f"chat-service:user:{user}", "number", number)
    keys.sadd("chat-service:users", user)
    news = {"kind": "changed", "origin": "gone", "userId": user, "username": "U", "own": "away"}
    for field in ("lastSeen", "sessions"):
        keys.publish("chat-service:presence", json.dumps(news | {"lastSeen": 1, "sessions": 1} | {field: value}))
    one, two = fleet.servers
    for server in fleet.servers:
        assert server.get(f"/api/presence?ids={user}", headers=ALICE).status_code == 200
        assert server.get("/api/online-users", headers=ALICE).status_code == 200
    chat, watcher = make_chat(one, user), make_chat(two, "watcher")
    chat.ask("set_status", {"status": "busy"})

    def is_busy():
        return watcher.ask("check_user_status", {"targetUserId": user})["status"] == "busy"

    eventually(is_busy, "the other instance sees the user as they are")
    answers(fleet)


@pytest.mark.parametrize("value", EXTREMES, ids=str)
def test_room_traffic_in_redis(fleet, make_chat, room, value):
    keys = fleet.keys()
    alice, bob = (make_chat(server, user) for server, user in zip(fleet.servers, ["alice", "bob"]))
    for chat in (alice, bob):
        chat.join(room)
    alice.send(room, "one")
    bob.expect("new_message")
    said = {
        "messageId": "0123456789abcdef01234567",
        "seq": 3,
        "roomId": room,
        "userId": "eve",
        "username": "Eve",
        "message": "forged",
        "messageType": "text",
        "timestamp": 1,
    }
    published = [("new_message", said | {name: value}) for name in ("seq", "timestamp")]
    published.append(("message_read", {"userId": "eve", "username": "Eve", "seq": value}))
    published.append(("room_changed", {"change": "renamed", "name": "n", "updatedAt": value}))
    for kind, data in published:
        news = {"instance": "gone", "type": kind, "data": data}
        keys.publish(f"chat:room:{room}", json.dumps({"instance": "gone", "data": news}))
    keys.delete(f"chat:history:{room}")
    keys.rpush(f"chat:history:{room}", json.dumps(said | {"seq": value}))
    assert alice.send(room, "two")["seq"] == 2
    assert bob.expect("new_message", lambda message: message["message"] == "two")["seq"] == 2
    for server in fleet.servers:
        page = server.get(f"/api/chat/{room}/history").json()["messages"]
        assert [(each["seq"], each["message"]) for each in page] == [(1, "one"), (2, "two")]
        assert server.get(f"/api/rooms/{room}").status_code == 200
    answers(fleet)


def test_messages_between_instances(fleet):
    keys = fleet.keys()
    inboxes = keys.pubsub_channels("chat-service:instance:*:inbox")
    [everyone] = keys.pubsub_channels("chat-service:instances:*")
    assert len(inboxes) == len(fleet.servers), "as the instances name them"
    for value in EXTREMES:
        for payload in (
            {"kind": "spent", "users": ["alice"], "counts": [value]},
            {"kind": "close", "session": value, "user": "alice", "ending": "replaced"},
            {"kind": "direct", "users": [value], "data": "{}"},
            value,
        ):
            assert keys.publish(everyone, "gone\0" + json.dumps(payload)) == len(fleet.servers), "they receive it"
        for inbox in inboxes:
            assert keys.publish(inbox, f"instance-1\0{value}") == 1, "it is received"
    answers(fleet)
    for server in fleet.servers:
        assert server.get("/api/presence?ids=alice", headers=ALICE).status_code == 200
