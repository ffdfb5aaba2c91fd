"""Edits, deletions and reactions where two instances serve a room."""

import threading

import pytest

from support.chat import Refused
from support.deadline import eventually
from support.mongo_proxy import Fault, MongoProxy
from test_lost_publications import swallowing

__all__ = ["swallowing"]

ALICE = {"X-User-Id": "alice"}


def two_members(fleet, make_chat, room: str):
    one, two = fleet.servers
    alice, bob = make_chat(one, "alice"), make_chat(two, "bob")
    for chat in (alice, bob):
        chat.join(room)
    return alice, bob


def history(server, room: str) -> list[dict]:
    return server.get(f"/api/chat/{room}/history?limit=1000", headers=ALICE).json()["messages"]


def test_changes_reach_members_on_both_instances(fleet, make_chat, room):
    alice, bob = two_members(fleet, make_chat, room)
    said = alice.send(room, "one")
    ack = alice.ask("edit_message", {"roomId": room, "messageId": said["messageId"], "message": "two"})
    assert (ack["messageId"], ack["seq"]) == (said["messageId"], 2)
    for chat in (alice, bob):
        edited = chat.expect("message_edited")
        assert (edited["messageId"], edited["seq"], edited["message"]) == (said["messageId"], 2, "two")
    assert bob.ask("react", {"roomId": room, "messageId": said["messageId"], "emoji": "👍"})["count"] == 1
    again = bob.ask("react", {"roomId": room, "messageId": said["messageId"], "emoji": "👍"})
    assert again["unchanged"] and again["count"] == 1
    for chat in (alice, bob):
        reaction = chat.expect("message_reaction")
        assert (reaction["seq"], reaction["userId"], reaction["count"]) == (3, "bob", 1)
    with pytest.raises(Refused) as refused:
        bob.ask("edit_message", {"roomId": room, "messageId": said["messageId"], "message": "mine"})
    assert refused.value.code == "forbidden"
    for server in fleet.servers:
        [message] = history(server, room)
        assert (message["message"], message["changeSeq"]) == ("two", 3)
        assert message["reactions"] == [{"emoji": "👍", "count": 1, "userIds": ["bob"]}]


def test_a_deletion_leaves_nothing_anywhere(fleet, make_chat, room):
    alice, bob = two_members(fleet, make_chat, room)
    word = f"secret of {room}"
    said = alice.send(room, word, metadata={"k": word})
    bob.expect("new_message")
    alice.ask("edit_message", {"roomId": room, "messageId": said["messageId"], "message": f"{word} again"})
    bob.expect("message_edited")
    later = bob.send(room, "later")
    # Both instances have the room's history in Redis.
    for server in fleet.servers:
        assert len(history(server, room)) == 2
    with fleet.keys() as keys:
        eventually(lambda: keys.exists(f"chat:history:{room}"), "the history is in Redis")
        alice.ask("delete_message", {"roomId": room, "messageId": said["messageId"]})
        assert not any(word in entry for entry in keys.lrange(f"chat:history:{room}", 0, -1)), "gone with the answer"
        assert word not in str(list(fleet.database()["messages"].find({"roomId": room})))
    bob.expect("message_deleted", lambda event: event["messageId"] == said["messageId"])
    for server in fleet.servers:
        stone, rest = history(server, room)
        assert (stone["deleted"], stone["message"], stone["userId"], stone["seq"]) == (True, "", "alice", 1)
        assert "metadata" not in stone and rest["messageId"] == later["messageId"]
    with fleet.keys() as keys:
        assert not any(word in entry for entry in keys.lrange(f"chat:history:{room}", 0, -1))
    eventually(lambda: word not in str(list(fleet.database()["rooms"].find({}))), "it is not the room's last message")
    for event, data in (("edit_message", {"message": "x"}), ("react", {"emoji": "👍"})):
        with pytest.raises(Refused) as refused:
            alice.ask(event, {"roomId": room, "messageId": said["messageId"], **data})
        assert refused.value.code == "conflict"


def test_two_instances_change_a_message_at_once(fleet, make_chat, room):
    alice, bob = two_members(fleet, make_chat, room)
    said = alice.send(room, "start")["messageId"]
    other = make_chat(fleet.servers[1], "alice")
    other.join(room)
    failures: list[BaseException] = []

    def change(chat, name: str) -> None:
        try:
            for number in range(15):
                chat.ask("edit_message", {"roomId": room, "messageId": said, "message": f"{name} {number}"})
                chat.ask("react", {"roomId": room, "messageId": said, "emoji": f":{name}_{number}:"})
        except BaseException as error:
            failures.append(error)

    workers = [threading.Thread(target=change, args=each) for each in ((alice, "a"), (other, "b"))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not failures, failures
    # Numbers 2 to 61, each once and in order, for a member that only listens.
    edits = [bob.expect("message_edited") for _ in range(30)]
    reactions = [bob.expect("message_reaction") for _ in range(30)]
    numbers = [[event["seq"] for event in each] for each in (edits, reactions)]
    assert numbers == [sorted(each) for each in numbers] and sorted(sum(numbers, [])) == list(range(2, 62))
    last = edits[-1]["message"]
    for server in fleet.servers:
        [message] = history(server, room)
        assert message["message"] == last and message["changeSeq"] == 61
        assert [each["count"] for each in message["reactions"]] == [1] * 30


def test_a_lost_publication_of_a_change_costs_a_moment(swallowing, make_chat):
    fleet, swallower = swallowing
    alice, bob = two_members(fleet, make_chat, "r")
    said = alice.send("r", "one")["messageId"]
    bob.expect("new_message")
    swallower.swallowed.add(b"r")
    alice.ask("edit_message", {"roomId": "r", "messageId": said, "message": "two"})
    alice.ask("react", {"roomId": "r", "messageId": said, "emoji": "👍"})
    eventually(lambda: swallower.count >= 2, "they were swallowed")
    swallower.swallowed.clear()
    alice.send("r", "next")
    assert bob.expect("message_edited")["seq"] == 2
    assert bob.expect("message_reaction")["seq"] == 3
    assert bob.expect("new_message")["seq"] == 4


@pytest.mark.parametrize("part", [0, 1])
def test_a_change_whose_answer_is_lost_is_stored_once(make_fleet, make_chat, part):
    """The answer to the insert, or to the update of the message."""
    proxies: list[MongoProxy] = []

    def put_between(port: int) -> str:
        proxies.append(MongoProxy(port))
        return proxies[-1].uri()

    fleet = make_fleet(mongo_through=put_between)
    alice, bob = two_members(fleet, make_chat, "r")
    said = alice.send("r", "one")["messageId"]
    name = ("insert", "update")[part]
    lost = proxies[0].arm(Fault(lambda command: command.name == name and command.collection == "messages", part=0))
    ack = alice.ask("edit_message", {"roomId": "r", "messageId": said, "message": "two", "clientMessageId": "c"})
    assert lost.hits == 1 and ack["seq"] == 2
    again = bob.ask("react", {"roomId": "r", "messageId": said, "emoji": "👍"})
    assert again["seq"] == 3
    repeated = alice.ask("edit_message", {"roomId": "r", "messageId": said, "message": "two", "clientMessageId": "c"})
    assert repeated["duplicate"] and repeated["seq"] == 2
    for server in fleet.servers:
        [message] = history(server, "r")
        assert message["message"] == "two" and message["changeSeq"] == 3
    proxies[0].close()


def test_a_resume_brings_what_changed(fleet, make_chat, room):
    alice, bob = two_members(fleet, make_chat, room)
    carol = make_chat(fleet.servers[1], "carol")
    carol.join(room)
    said = [alice.send(room, f"text {number}")["messageId"] for number in range(3)]
    bob.close()
    alice.ask("edit_message", {"roomId": room, "messageId": said[0], "message": "new"})
    alice.ask("delete_message", {"roomId": room, "messageId": said[1]})
    alice.send(room, "text 3")
    carol.expect("new_message", lambda message: message["seq"] == 6)
    bob = make_chat(fleet.servers[1], "bob")
    bob.ask("join_room", {"roomId": room, "since": 3})
    assert [each["seq"] for each in bob.expect("message_history")] == [6]
    changes = bob.expect("message_changes")
    assert [(each["seq"], each["changeSeq"], each["message"]) for each in changes["messages"]] == [(1, 4, "new"), (2, 5, "")]
    assert changes["lastSeq"] == 6
