"""What the service leaves in Redis, read with a stock client as another service would, and what it does with what others leave."""

import json

import pytest

from support.deadline import eventually

KEPT = 20
SECONDS = 3600


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    """Instances that keep few messages in Redis."""
    from support.fleet import Fleet

    fleet = Fleet(
        tmp_path_factory.mktemp("cache"), {"MAX_MESSAGE_HISTORY": str(KEPT), "MESSAGE_HISTORY_TTL": str(SECONDS)}
    )
    yield fleet
    fleet.stop()


def _fill(fleet, make_chat, room: str, count: int) -> None:
    """Messages from both instances in turn; some with everything a message may have."""
    chats = [make_chat(server, f"user-{n}") for n, server in enumerate(fleet.servers)]
    for chat in chats:
        chat.join(room)
    for number in range(count):
        extra = {"metadata": {"n": number, "deep": {"ü": [1, None]}}} if number % 5 == 0 else {}
        chats[number % 2].send(room, f"message {number} “ü”", clientMessageId=f"c-{number}", **extra)


def _list(keys, room: str) -> list[dict]:
    return [json.loads(entry) for entry in keys.lrange(f"chat:history:{room}", 0, -1)]


def _settled(fleet, room: str) -> list[int]:
    """The numbers in the list. Appends of two instances may cross; the list is dropped then, and a read fills it again."""
    assert fleet.servers[0].get(f"/api/chat/{room}/history?limit={KEPT}").status_code == 200
    return [entry["seq"] for entry in _list(fleet.keys(), room)]


def test_the_history_list(fleet, make_chat, room):
    keys = fleet.keys()
    _fill(fleet, make_chat, room, 5)
    eventually(lambda: _settled(fleet, room) == [1, 2, 3, 4, 5], "all are in the list, newest last")
    entries = _list(keys, room)
    assert entries == fleet.servers[0].get(f"/api/chat/{room}/history").json()["messages"]
    assert set(entries[1]) == {
        "messageId", "seq", "roomId", "userId", "username", "message", "messageType", "timestamp", "clientMessageId"
    }  # fmt: skip
    assert 0 < keys.ttl(f"chat:history:{room}") <= SECONDS


def test_the_list_is_trimmed(fleet, make_chat, room):
    _fill(fleet, make_chat, room, KEPT + 10)
    newest = list(range(11, KEPT + 11))
    eventually(lambda: _settled(fleet, room) == newest, "the newest are kept")
    for server in fleet.servers:
        whole = server.get(f"/api/chat/{room}/history?limit=1000").json()["messages"]
        assert [message["seq"] for message in whole] == list(range(1, KEPT + 11)), "the store has the others"


QUERIES = ["limit=5", "before=18&limit=4", "after=12&limit=100", "around=20&limit=5", "after=3&limit=6", "limit=1000"]


def test_history_from_redis_is_the_stores(fleet, make_chat, room):
    keys = fleet.keys()
    _fill(fleet, make_chat, room, KEPT + 5)
    eventually(lambda: len(_settled(fleet, room)) == KEPT, "the list is there")

    def pages():
        return [[s.get(f"/api/chat/{room}/history?{query}").json() for query in QUERIES] for s in fleet.servers]

    cached = pages()
    keys.delete(f"chat:history:{room}")
    assert pages() == cached, "without the list"
    assert cached[0] == cached[1], "at both instances"
    stored = {str(each["_id"]): each for each in fleet.database()["messages"].find({"roomId": room})}
    whole = cached[0][-1]["messages"]
    assert len(whole) == len(stored) == KEPT + 5
    for message in whole:
        assert stored[message["messageId"]]["message"] == message["message"]


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda keys, key: keys.rpush(key, "no JSON"), id="garbage-behind"),
        pytest.param(lambda keys, key: keys.lset(key, 10, '{"seq":11}'), id="garbage-within"),
        pytest.param(lambda keys, key: keys.lpush(key, '{"seq":0,"message":"forged"}'), id="garbage-before"),
        pytest.param(lambda keys, key: keys.ltrim(key, 5, 10), id="cut-off"),
        pytest.param(lambda keys, key: keys.lrem(key, 1, keys.lindex(key, 7)), id="one-taken-out"),
        pytest.param(lambda keys, key: (keys.delete(key), keys.set(key, "a string")), id="another-type"),
        pytest.param(lambda keys, key: (keys.delete(key), keys.rpush(key, "[" * 5000)), id="deep"),
        pytest.param(lambda keys, key: keys.lset(key, -1, '{"seq":99999}'), id="ahead"),
    ],
)
def test_garbage_in_the_list_is_not_believed(fleet, make_chat, room, spoil):
    keys, key = fleet.keys(), f"chat:history:{room}"
    _fill(fleet, make_chat, room, KEPT)
    eventually(lambda: len(_settled(fleet, room)) == KEPT, "the list is there")
    path = f"/api/chat/{room}/history?limit={KEPT}"
    before = fleet.servers[0].get(path).json()
    spoil(keys, key)
    for server in fleet.servers:
        assert server.get(path).json() == before
    writer = make_chat(fleet.servers[1], "user-1")
    writer.join(room)
    assert writer.send(room, "goes on")["seq"] == KEPT + 1
    for server in fleet.servers:
        page = server.get(path).json()["messages"]
        assert [message["seq"] for message in page] == list(range(2, KEPT + 2))
        assert page[-1]["message"] == "goes on"


def test_history_has_what_was_acknowledged_elsewhere_a_moment_ago(fleet, make_chat, room):
    """The other instance may not know yet, nor the list have it: the acknowledgement waits for neither."""
    keys, key = fleet.keys(), f"chat:history:{room}"
    one, two = fleet.servers
    writer = make_chat(one, "writer")
    writer.join(room)
    for number in range(1, 6):
        writer.send(room, f"message {number}")
    eventually(lambda: len(_list(keys, room)) == 5, "the list is there")
    for number in range(6, 16):
        # From here the other instance has the room in memory for a moment, and gets no news of it.
        before = two.get(f"/api/chat/{room}/history").json()["messages"]
        assert [message["seq"] for message in before] == list(range(1, number))
        assert writer.send(room, f"message {number}")["seq"] == number
        eventually(lambda: len(_list(keys, room)) == number, "it is in the list")
        keys.rpop(key)
        for query in ("", "?limit=3", "?after=2", f"?before={number + 1}&limit=2", f"?around={number}&limit=4"):
            page = two.get(f"/api/chat/{room}/history{query}").json()["messages"]
            assert page[-1]["seq"] == number, query
        # An instance that has delivered everything fills the list.
        assert one.get(f"/api/chat/{room}/history").json()["messages"][-1]["seq"] == number
        eventually(lambda: len(_list(keys, room)) == number, "the list is whole again")


def test_nonsense_on_a_rooms_channel_is_dropped(fleet, make_chat, room):
    keys = fleet.keys()
    alice, bob = (make_chat(server, user) for server, user in zip(fleet.servers, ["alice", "bob"]))
    for chat in (alice, bob):
        chat.join(room)
    forged = {"instance": "instance-9", "data": {"type": "new_message", "data": {"roomId": room, "seq": "one"}}}
    for payload in ["", "x", "{", json.dumps(forged), json.dumps({"instance": 7, "data": {}}), "\0" * 10, "[" * 9000]:
        keys.publish(f"chat:room:{room}", payload)
    bob.send(room, "after the nonsense")
    assert alice.expect("new_message")["message"] == "after the nonsense"
    assert [name for name, _ in alice.inbox if name in ("error", "new_message")] == []


def test_only_rooms_with_members_here_are_subscribed_to(fleet, make_chat, room):
    keys, channel = fleet.keys(), f"chat:room:{room}"
    alice, bob = (make_chat(server, user) for server, user in zip(fleet.servers, ["alice", "bob"]))
    subscribers = lambda: dict(keys.pubsub_numsub(channel))[channel]  # noqa: E731
    alice.join(room)
    eventually(lambda: subscribers() == 1, "one instance listens")
    bob.join(room)
    eventually(lambda: subscribers() == 2, "both listen")
    for chat in (alice, bob):
        chat.ask("leave_room", {"roomId": room})
    eventually(lambda: subscribers() == 0, "no subscriber is left")
