"""Erasures with two instances on MongoDB and Redis."""

import datetime

from support.deadline import eventually
from support.privacy import ENVIRONMENT, SERVICE, erase_room, erase_user, wait_for_erasure

ANN = "qquser"
SECRET = "qqsecret"
DIRECT = f"direct:bob:{ANN}"


def _is_in_mongo(fleet, text: str) -> list[str]:
    database = fleet.database()
    return [
        f"{name}: {document}"
        for name in database.list_collection_names()
        for document in database[name].find()
        if text in str(document)
    ]


def _is_in_redis(fleet, text: str) -> list[str]:
    """Keys of sessions that broke off expire by themselves after two minutes."""
    keys = fleet.keys()
    names = [name for name in keys.scan_iter() if ":recovery" not in name]
    return [name for name in names if text in name or text in str(_value(keys, name))]


def _value(keys, name: str):
    readers = {
        "list": lambda: keys.lrange(name, 0, -1),
        "hash": lambda: keys.hgetall(name),
        "set": lambda: keys.smembers(name),
        "zset": lambda: keys.zrange(name, 0, -1),
        "string": lambda: keys.get(name),
        "none": lambda: None,
    }
    return readers[keys.type(name)]()


def _talk(fleet, make_chat, count: int) -> None:
    one, two = fleet.servers
    ann, bob = make_chat(one, ANN, "Qqname"), make_chat(two, "bob")
    for chat in (ann, bob):
        chat.join("r")
        chat.join(DIRECT)
    for number in range(count):
        ann.send("r", f"{SECRET} {number}", clientMessageId=f"qqclient-{number}")
        ann.send(DIRECT, f"{SECRET} direct {number}")
    bob.send("r", f"hello <@{ANN}>")
    bob.send(DIRECT, "a private answer")
    one.request("PUT", f"/api/users/{ANN}/profile", headers=SERVICE, json={"name": "Qqname", "email": "qqmail@example.org"})
    one.request("PUT", f"/api/users/{ANN}/friends/bob", headers=SERVICE)
    fleet.keys().sadd(f"user:friends:{ANN}", "bob")
    fleet.keys().sadd("user:friends:bob", ANN)
    for server in fleet.servers:
        server.get("/api/chat/r/history", headers=SERVICE)
    ann.close()


def test_nothing_of_an_erased_user_is_found(make_fleet, make_chat):
    fleet = make_fleet(ENVIRONMENT)
    _talk(fleet, make_chat, count=20)
    assert _is_in_mongo(fleet, SECRET) and _is_in_redis(fleet, SECRET)
    carol = make_chat(fleet.servers[1], "carol")
    carol.join("r")
    erase_user(fleet.servers[0], ANN)
    assert carol.expect("resync_required", lambda data: data["roomId"] == "r")
    wait_for_erasure(fleet.servers[1], f"users/{ANN}")
    for text in (ANN, SECRET, "Qqname", "qqmail", "qqclient"):
        assert _is_in_mongo(fleet, text) == [], text
        assert _is_in_redis(fleet, text) == [], text
    for server in fleet.servers:
        history = server.get("/api/chat/r/history", headers=SERVICE).json()["messages"]
        assert [message["seq"] for message in history] == list(range(1, 22))
        assert all(message["message"] == "" for message in history[:-1])
    rooms = fleet.servers[0].get("/api/rooms", headers={"X-User-Id": "bob"}).json()["rooms"]
    direct = next(room for room in rooms if room["type"] == "direct")
    assert direct["lastMessage"]["content"] == "a private answer"
    assert carol.send("r", "life goes on")["seq"] == 22


def test_another_instance_goes_on(make_fleet, make_chat):
    """The instance that erases is killed, and stays dead."""
    fleet = make_fleet(ENVIRONMENT)
    one, two = fleet.servers
    _talk(fleet, make_chat, count=20)
    erase_user(one, ANN, "anonymize")
    one.kill()
    wait_for_erasure(two, f"users/{ANN}")
    for text in (ANN, "Qqname", "qqmail", "qqclient"):
        assert _is_in_mongo(fleet, text) == [], text
    eventually(lambda: not _is_in_redis(fleet, ANN), "the dead instance's sessions are gone")
    history = two.get("/api/chat/r/history", headers=SERVICE).json()["messages"]
    assert [message["message"] for message in history[:2]] == [f"{SECRET} 0", f"{SECRET} 1"]


def test_a_room_is_erased(make_fleet, make_chat):
    fleet = make_fleet(ENVIRONMENT)
    one, two = fleet.servers
    bob = make_chat(two, "bob")
    bob.join("r")
    for number in range(30):
        bob.send("r", f"{SECRET} {number}")
    erase_room(one, "r")
    wait_for_erasure(two, "rooms/r")
    assert _is_in_mongo(fleet, SECRET) == []
    eventually(lambda: not _is_in_redis(fleet, SECRET), "the cache has nothing of it")
    assert bob.join("r")["history"] == []
    assert bob.send("r", "a new beginning")["seq"] == 31


def test_old_messages_expire(make_fleet, make_chat):
    fleet = make_fleet(ENVIRONMENT)
    one, two = fleet.servers
    ann = make_chat(one, "ann")
    ann.join("r")
    for number in range(5):
        ann.send("r", f"{SECRET} {number}")
    ann.send("r", "young")
    old = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=8)
    fleet.database()["messages"].update_many({"seq": {"$lte": 5}}, {"$set": {"timestamp": old}})
    two.restart({"MESSAGE_RETENTION_DAYS": "7"})
    eventually(lambda: not _is_in_mongo(fleet, SECRET), "the old texts are gone")
    eventually(lambda: not _is_in_redis(fleet, SECRET), "they are in no cache")
    for server in fleet.servers:
        history = server.get("/api/chat/r/history", headers=SERVICE).json()["messages"]
        assert [message["message"] for message in history] == [""] * 5 + ["young"]
