"""Commands that serve messages name their room, so that a sharded cluster asks one shard, as ADR 32 lists them."""

from typing import Any, Iterator

import pytest

from support.broker import RabbitMQ
from support.deadline import eventually
from support.mongo_proxy import Command, Fault, MongoProxy

ALICE = {"X-User-Id": "alice"}
SHARDED_BY_ROOM = ("messages", "rooms", "chatReadMarks")
# The fields by which other commands find documents. Those of the outbox serve many rooms at once, and a user's list of rooms is asked
# for by a user.
WITHOUT_ROOM = {("messages", "eventOwner"), ("rooms", "participants")}


@pytest.fixture
def broker(tmp_path):
    broker = RabbitMQ(tmp_path / "rabbitmq").start()
    yield broker
    broker.kill()


def test_every_command_names_its_room(make_fleet, make_chat, broker):
    proxies: list[MongoProxy] = []

    def put_between(port: int) -> str:
        proxies.append(MongoProxy(port))
        return proxies[-1].uri()

    fleet = make_fleet({"RABBITMQ_URL": broker.url}, mongo_through=put_between)
    proxy = proxies[0]
    try:
        # An instance that starts looks for messages of all rooms that have no number.
        proxy.commands.clear()
        # The second room's id may be stored as a number too.
        for room in ("r", "42"):
            _use(fleet, make_chat, proxy, room)
        eventually(lambda: any(_clears_events(command) for command in proxy.commands), "events are cleared")
        eventually(lambda: any("lastMessage" in str(command.document) for command in proxy.commands), "lastMessage follows")
    finally:
        proxy.close()
    commands = [each for each in proxy.commands if each.document.get(each.name) in SHARDED_BY_ROOM]
    without_room = {
        (command.collection, next(iter(each))) for command in commands for each in _filters(command) if not _names_room(each)
    }
    assert without_room == WITHOUT_ROOM
    for command in commands:
        for update in command.document.get("updates", []):
            names_one_form = not isinstance(update["q"].get("roomId"), dict)
            assert update.get("multi") or names_one_form, "an update of one document has to name the exact room"


def _use(fleet, make_chat, proxy: MongoProxy, room: str) -> None:
    one, two = fleet.servers
    alice, bob = make_chat(one, "alice"), make_chat(two, "bob")
    for chat in (alice, bob):
        chat.join(room)
    for number in range(3):
        requests = [(chat, chat.emit_with_id("send_message", _message(room, f"{chat.user_id}-{number}"))) for chat in (alice, bob)]
        for chat, request in requests:
            assert chat.reply(request)["success"]
    repeated = bob.ask("send_message", _message(room, "bob-0"))
    assert repeated["success"]
    finds = len(proxy.commands)
    lost = proxy.arm(Fault(lambda command: command.name == "insert" and command.collection == "messages", part=0))
    alice.ask("send_message", _message(room, "unanswered"))
    assert lost.hits == 1
    assert any("_id" in each for command in proxy.commands[finds:] for each in _filters(command)), "it was looked for by id"
    bob.ask("mark_read", {"roomId": room, "seq": 5})
    changed = alice.ask("send_message", _message(room, "changed"))["messageId"]
    of_message = {"roomId": room, "messageId": changed}
    bob.ask("send_message", {**_message(room, "reply"), "replyTo": changed})
    alice.ask("edit_message", {**of_message, "message": "new", "clientMessageId": "edit"})
    bob.ask("react", {**of_message, "emoji": "👍"})
    alice.ask("delete_message", of_message)
    fleet.keys().delete(f"chat:history:{room}")
    assert len(two.get(f"/api/chat/{room}/history?before=7").json()["messages"]) == 6
    assert any(each["roomId"] == room for each in one.get("/api/rooms", headers=ALICE).json()["rooms"])
    bob.ask("leave_room", {"roomId": room})
    alice.ask("send_message", _message(room, "missed"))
    bob.join(room, since=7)
    created = one.post("/api/rooms", headers=ALICE, json={"roomId": f"{room}0", "name": "made", "participants": ["bob"]})
    assert created.status_code == 201
    assert one.request("DELETE", f"/api/rooms/{room}0", headers=ALICE).status_code in (200, 204)


def _message(room: str, client_id: str) -> dict[str, str]:
    return {"roomId": room, "message": f"text of {client_id}", "clientMessageId": client_id}


def _clears_events(command: Command) -> bool:
    return command.name == "update" and any(each["u"] == {"$unset": {"eventOwner": ""}} for each in command.document["updates"])


def _filters(command: Command) -> Iterator[dict[str, Any]]:
    """What a command finds documents by, and the documents of an insert."""
    document = command.document
    match command.name:
        case "insert":
            yield from document["documents"]
        case "update":
            yield from (each["q"] for each in document["updates"])
        case "delete":
            yield from (each["q"] for each in document["deletes"])
        case "find":
            yield document["filter"]
        case "aggregate":
            yield document["pipeline"][0]["$match"]


def _names_room(filter: dict[str, Any]) -> bool:
    return "roomId" in filter or bool(filter.get("$or")) and all(_names_room(each) for each in filter["$or"])
