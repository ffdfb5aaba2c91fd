"""How far users have read: the same on all their devices, on all instances, and after a reload."""

import pytest

from support.between import Between
from support.deadline import eventually
from support.relay import Relay


def listed(server, user: str, room: str):
    rooms = server.get("/api/rooms", headers={"X-User-Id": user}).json()["rooms"]
    return next(each for each in rooms if each["roomId"] == room)


def test_reading_on_one_device_is_sent_to_the_others(fleet, make_chat, room):
    one, two = fleet.servers
    alice = make_chat(one, "alice")
    alice.join(room)
    reading = make_chat(one, "bob")
    reading.join(room)
    # In the room on the other instance, and in no room on either.
    others = [make_chat(two, "bob"), make_chat(two, "bob"), make_chat(one, "bob")]
    others[0].join(room)
    stranger = make_chat(two, "carol")
    seqs = [alice.send(room, f"message {number}")["seq"] for number in range(3)]
    assert seqs == [1, 2, 3]
    expected = {"roomId": room, "userId": "bob", "seq": 3}
    reading.ask("mark_read", {"roomId": room, "seq": 3})
    for chat in [alice, *others]:
        assert chat.expect("message_read") == expected
    reading.ask("mark_read", {"roomId": room, "seq": 2})
    for chat in [alice, reading, stranger, *others]:
        chat.settle()
        assert chat.events("message_read") == [], "once each, and not to the device that read"


def test_marks_are_there_after_a_reload(fleet, make_chat, room):
    one, two = fleet.servers
    alice, bob = make_chat(one, "alice"), make_chat(two, "bob")
    for chat in (alice, bob):
        chat.join(room)
    for number in range(4):
        alice.send(room, f"message {number}")
    bob.expect("new_message", lambda message: message["seq"] == 4)
    bob.ask("mark_read", {"roomId": room, "seq": 2})
    marks = [{"userId": "alice", "seq": 4}, {"userId": "bob", "seq": 2}]
    for server in fleet.servers:
        again = make_chat(server, "carol")
        reply = again.ask("join_room", {"roomId": room})
        assert reply["readMarks"] == marks
        assert again.expect("room_state")["readMarks"] == marks
    for server in fleet.servers:
        eventually(lambda s=server: _pages(s, room) == marks, "all marks by REST")
    assert one.get(f"/api/chat/{room}/read-marks?limit=0", headers={"X-User-Id": "bob"}).status_code == 400


def _pages(server, room: str) -> list:
    found, cursor = [], ""
    while True:
        answer = server.get(f"/api/chat/{room}/read-marks?limit=1{cursor}", headers={"X-User-Id": "bob"}).json()
        assert answer["success"] and len(answer["readMarks"]) <= 1
        found += answer["readMarks"]
        if "cursor" not in answer:
            return found
        cursor = f"&cursor={answer['cursor']}"


def test_ones_own_messages_are_read(fleet, make_chat, room):
    one, two = fleet.servers
    alice, bob = make_chat(one, "alice"), make_chat(two, "bob")
    for chat in (alice, bob):
        chat.join(room)
    for number in range(3):
        alice.send(room, f"message {number}")
    for server in fleet.servers:
        assert (listed(server, "alice", room)["unread"], listed(server, "alice", room)["lastReadSeq"]) == (0, 3)
        assert (listed(server, "bob", room)["unread"], listed(server, "bob", room)["lastReadSeq"]) == (3, 0)
    bob.send(room, "answer")
    assert listed(one, "bob", room)["unread"] == 0
    eventually(lambda: listed(two, "alice", room)["unread"] == 1, "only the answer is new")


class WithoutMarks(Between):
    """Ends connections over which a read mark is to be stored, for as long as `refuses` says so."""

    refuses = False
    refused = 0

    def change(self, data: bytes) -> bytes:
        if self.refuses and b"chatReadMarks" in data:
            self.refused += 1
            raise ConnectionError
        return data


def test_a_senders_mark_is_stored_once_the_store_takes_it(make_fleet, make_chat):
    """It is written behind the message; a later message of the sender's would hide that it was lost."""
    proxies: list[WithoutMarks] = []

    def between(fleet) -> None:
        proxies.append(WithoutMarks(fleet.mongo.port))
        fleet.servers[0].env["MONGODB_URI"] = f"mongodb://127.0.0.1:{proxies[0].port}/chat"

    fleet = make_fleet(instances=1, before=between)
    (one,) = fleet.servers
    alice, bob = make_chat(one, "alice"), make_chat(one, "bob")
    for chat in (alice, bob):
        chat.join("lobby")
    proxies[0].refuses = True
    alice.send("lobby", "the first")
    eventually(lambda: proxies[0].refused > 0, "its mark was not stored")
    proxies[0].refuses = False
    eventually(lambda: bob.request("send_message", {"roomId": "lobby", "message": "the second"})["success"], "it is taken")
    marks = [{"userId": "alice", "seq": 1}, {"userId": "bob", "seq": 2}]
    eventually(lambda: _pages(one, "lobby") == marks, "both are stored")
    proxies[0].close()


@pytest.fixture
def delayed(make_fleet):
    """A fleet whose second instance gets no news for a while."""
    relays: list[Relay] = []

    def between(fleet) -> None:
        relays.append(Relay(fleet.redis.port))
        fleet.servers[1].env["REDIS_URL"] = f"redis://127.0.0.1:{relays[0].port}"

    yield make_fleet(before=between), relays[0]
    relays[0].close()


def test_a_mark_ahead_of_the_publication_is_not_cut_down(delayed, make_chat):
    fleet, relay = delayed
    one, two = fleet.servers
    alice, bob = make_chat(one, "alice"), make_chat(two, "bob")
    for chat in (alice, bob):
        chat.join("lobby")
    alice.send("lobby", "heard")
    bob.expect("new_message")
    relay.stall()
    last = [alice.send("lobby", f"not heard of {number}")["seq"] for number in range(3)][-1]
    assert bob.ask("mark_read", {"roomId": "lobby", "seq": last})["success"]
    assert listed(one, "bob", "lobby")["lastReadSeq"] == last
    # A number that no message has means the newest.
    carol = make_chat(two, "carol")
    carol.join("lobby")
    assert carol.ask("mark_read", {"roomId": "lobby", "seq": last + 1000})["success"]
    assert listed(one, "carol", "lobby")["lastReadSeq"] == last
    relay.resume()


def test_a_client_id_of_a_deleted_room_is_free(fleet, make_chat, room):
    one, two = fleet.servers
    owner = {"X-User-Id": "alice"}
    for turn, server in enumerate((one, two)):
        assert server.post("/api/rooms", headers=owner, json={"roomId": room}).status_code == 201
        alice = make_chat(server, "alice")
        alice.join(room)
        ack = alice.send(room, "the same", clientMessageId="c-1")
        assert "duplicate" not in ack and ack["seq"] == turn + 1
        assert alice.send(room, "the same", clientMessageId="c-1")["duplicate"] is True
        history = server.get(f"/api/chat/{room}/history", headers=owner).json()["messages"]
        assert [message["seq"] for message in history] == [turn + 1]
        if turn == 0:
            assert two.request("DELETE", f"/api/rooms/{room}", headers=owner).status_code == 200
