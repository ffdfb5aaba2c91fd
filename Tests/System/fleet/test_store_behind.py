"""MongoDB comes back without messages it had acknowledged: no holes, and no client keeps messages that are gone."""

from support.between import Between
from support.chat import Refused
from support.deadline import eventually
from support.services import MongoDB


def test_members_begin_again_and_numbers_continue_from_the_store(make_fleet, make_chat):
    fleet = make_fleet()
    one, two = fleet.servers
    alice, bob = make_chat(one, "alice"), make_chat(two, "bob")
    for chat in (alice, bob):
        chat.join("r")
    for number in range(1, 7):
        assert alice.send("r", f"message {number}")["seq"] == number
    bob.expect("new_message", lambda message: message["seq"] == 6)

    fleet.mongo.kill()
    refused = alice.request("send_message", {"roomId": "r", "message": "refused"}, timeout=15)
    assert refused["error"]["code"] == "storage_unavailable"
    fleet.mongo.start()
    fleet.database()["messages"].delete_many({"roomId": "r", "seq": {"$gt": 3}})

    assert eventually(lambda: _seq(alice, "anew"), "taken again") == 4
    for chat in (alice, bob):
        assert chat.expect("resync_required", timeout=40)["lastSeq"] == 3
        assert chat.expect("new_message", lambda message: message["message"] == "anew", 40)["seq"] == 4
    # Bob's instance may not have found the primary yet.
    assert eventually(lambda: _seq(bob, "and on"), "taken elsewhere too") == 5
    assert alice.expect("new_message", lambda message: message["message"] == "and on")["seq"] == 5
    for server in fleet.servers:
        page = server.get("/api/chat/r/history").json()
        assert [message["seq"] for message in page["messages"]] == [1, 2, 3, 4, 5], "without holes"
        assert [message["message"] for message in page["messages"]][3:] == ["anew", "and on"]
    # The instance that finds it tells the others.
    assert any("lost messages it had acknowledged" in server.log_text() for server in fleet.servers)


def _seq(chat, text: str) -> int | None:
    try:
        return chat.send("r", text, timeout=15)["seq"]
    except Refused as refusal:
        assert refusal.code == "storage_unavailable"
        return None


def test_a_quiet_room_is_found_by_the_sweep(make_fleet, make_chat):
    """No client writes, and no request of this instance fails."""
    fleet = make_fleet()
    alice = make_chat(fleet.servers[0], "alice")
    alice.join("r")
    for number in range(1, 4):
        alice.send("r", f"message {number}")
    fleet.database()["messages"].delete_many({"roomId": "r", "seq": {"$gt": 1}})
    assert alice.expect("resync_required", timeout=60)["lastSeq"] == 1
    assert alice.send("r", "on")["seq"] == 2


class Listening(Between):
    """Keeps what the service says to MongoDB."""

    def __init__(self, port: int):
        super().__init__(port)
        self.said = b""

    def change(self, data: bytes) -> bytes:
        self.said += data
        return data


def test_acknowledged_messages_are_in_the_journals_of_the_majority(make_server, make_chat, tmp_path):
    mongo = MongoDB(tmp_path / "mongo")
    mongo.start()
    between = Listening(mongo.port)
    try:
        server = make_server({"MONGODB_URI": f"mongodb://127.0.0.1:{between.port}/chat"})
        alice = make_chat(server, "alice")
        alice.join("r")
        before = len(between.said)
        alice.send("r", "to be kept")
        said = between.said[before:]
        insert = said[max(said.index(b"to be kept") - 1000, 0) :]
        # BSON: a string of eight bytes with its end, a boolean that is true.
        assert b"\x02w\x00\x09\x00\x00\x00majority\x00" in insert and b"\x08j\x00\x01" in insert
    finally:
        between.close()
        mongo.kill()
