"""`/asyncapi.json`: complete, and true of what the running server sends."""

import re

import pytest
from jsonschema import Draft202012Validator

from support.chat import Chat

# Sent in situations of their own: a draining server, a token at its end, large or repaired rooms. Other tests see them.
UNSEEN = {"server_draining", "token_expiring", "resync_required"}


@pytest.fixture(scope="module")
def document(shared):
    return shared.get("/asyncapi.json").json()


@pytest.fixture(scope="module")
def check(document):
    """Validates a value as the payload of a message of the document."""

    def check(name, value):
        schema = {**document["components"]["messages"][name]["payload"], "components": document["components"]}
        errors = [f"{error.json_path}: {error.message}" for error in Draft202012Validator(schema).iter_errors(value)]
        assert not errors, f"{name}: {errors}\n{value}"

    return check


def references(value):
    if isinstance(value, dict):
        for name, member in value.items():
            if name == "$ref":
                yield member
            else:
                yield from references(member)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def test_every_reference_leads_somewhere(document):
    assert document["asyncapi"] == "3.0.0"
    for reference in references(document):
        place = document
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]


def test_every_message_has_an_example_that_its_schema_allows(document, check):
    for name, message in document["components"]["messages"].items():
        assert message["summary"], name
        for example in message["examples"]:
            check(name, example["payload"])


def test_close_codes_and_error_codes_are_listed(document):
    codes = {entry["code"] for entry in document["info"]["x-close-codes"]}
    assert {1012, 1013, 4008, 4400, 4401, 4403, 4409, 4429} <= codes
    assert "storage_unavailable" in document["components"]["schemas"]["ErrorCode"]["enum"]


@pytest.fixture(scope="module")
def seen(shared, document, check):
    """Drives every client event, validates every answer and every event, and gives their names."""
    names = set()
    shared.post("/api/rooms", headers={"X-User-Id": "ada"}, json={"roomId": "described"})
    with Chat(shared.ws_url) as ada, Chat(shared.ws_url) as ben:

        def ask(chat, event, data=None):
            answer = chat.request(event, data)
            refused = isinstance(answer, dict) and answer.get("success") is False
            name = "refusal" if refused else f"{event}.answer"
            check(name, answer)
            names.add(name)

        def newest(chat, room):
            return chat.request("join_room", {"roomId": room})["messages"][-1]["messageId"]

        def expect(chat, event, user):
            check(event, chat.expect(event, lambda data: data["userId"] == user))
            names.add(event)

        def drain(chat):
            chat.settle()
            for event, data in chat.inbox:
                check(event, data)
                names.add(event)
            chat.inbox.clear()

        for chat, user in [(ada, "ada"), (ben, "ben")]:
            ask(chat, "authenticate", {"userId": user, "username": user.title()})
            ask(chat, "subscribe_presence", {"all": True})
            ask(chat, "join_room", {"roomId": "described"})
        ask(ada, "join_user", {"userId": "ada"})
        ask(ada, "send_message", {"roomId": "described", "message": "hi", "metadata": {"a": 1}, "clientMessageId": "c"})
        ask(ada, "send_message", {"roomId": "described", "message": "hi", "metadata": {"a": 1}, "clientMessageId": "c"})
        ask(ben, "mark_read", {"roomId": "described", "seq": 1})
        message = {"roomId": "described", "messageId": newest(ada, "described")}
        ask(ada, "edit_message", message | {"message": "hi <@ben>"})
        ask(ben, "react", message | {"emoji": "👍"})
        ask(ben, "react", message | {"emoji": "👍"})
        ask(ada, "pin_message", message)
        ask(ben, "send_message", {"roomId": "described", "message": "an answer", "replyTo": message["messageId"]})
        with Chat(shared.ws_url) as dan:
            ask(dan, "authenticate", {"userId": "dan"})
            ask(dan, "join_room", {"roomId": "described", "since": 1})
            drain(dan)
        ask(ada, "delete_message", message)
        ask(ada, "send_message", {"recipientIds": ["ben", "cy"], "message": "psst"})
        ask(ben, "typing", {"roomId": "described", "isTyping": True})
        ask(ben, "set_status", {"status": "busy"})
        ask(ben, "identify", {"username": "Benjamin"})
        for event in ["user_activity", "get_online_count", "get_all_users", "get_online_users"]:
            ask(ben, event, {})
        for event in ["get_all_online_users", "get_detailed_online_users"]:
            ask(ben, event, {})
        for event in ["get_online_users", "get_all_online_users", "get_detailed_online_users"]:
            ben.emit(event)
        ask(ben, "ping", {"n": 1})
        ask(ben, "check_user_status", {"targetUserId": "ada"})
        ask(ben, "check_user_online", {"userId": "ada"})
        ask(ben, "unsubscribe_presence", {})
        ask(ben, "join_room", {})
        ben.emit("typing", {"roomId": "never joined", "isTyping": True})
        with Chat(shared.ws_url) as cy:
            ask(cy, "authenticate", {"userId": "cy"})
            ask(cy, "join_room", {"roomId": "described"})
            ask(cy, "leave_room", {"roomId": "described"})
            expect(ada, "user_online", "cy")
            ask(cy, "set_status", {"status": "offline"})
            expect(ada, "user_offline", "cy")
        for chat in [ada, ben]:
            drain(chat)
    return names


def test_the_server_sends_what_it_says(document, seen):
    names = set(document["components"]["messages"])
    assert {name for name in seen if name not in names} == set()
    missing = names - seen - UNSEEN - {name for name in names if name.endswith(".request")}
    assert missing == set()


def test_every_event_of_clients_is_an_operation(document):
    received = {name for name, operation in document["operations"].items() if operation["action"] == "receive"}
    requests = {name.removesuffix(".request") for name in document["components"]["messages"] if ".request" in name}
    assert received == requests and len(received) > 10
    assert all(re.fullmatch(r"[a-z_]+", name) for name in received)
