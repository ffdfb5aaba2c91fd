"""What the documents show of webhooks and of the hook before a message."""

import json

from blocks import ALL
from support.webhooks import SECRET, make_receiver, make_sender, receiver

__all__ = ["make_receiver", "make_sender", "receiver"]


def kinds(value):
    """The value with its texts and numbers replaced by what kind of value they are."""
    if isinstance(value, dict):
        return {name: kinds(member) for name, member in value.items()}
    return type(value).__name__


def test_an_event_is_as_shown_and_the_check_takes_it(receiver, make_sender, make_chat):
    server = make_sender(receiver)
    ada = make_chat(server, "ada", "ada")
    ada.join("den")
    ada.send("den", "hi")
    (request,) = receiver.wait_for("message.sent")
    shown = json.loads(ALL["docs/protocol.md › Webhooks"].text)
    assert kinds(request.event) == kinds(shown)
    assert request.data["message"] == shown["data"]["message"] and request.type == shown["type"]
    names: dict = {}
    exec(ALL["docs/protocol.md › Webhooks (2)"].text, names)
    check = names["is_genuine"]
    assert check(SECRET, request.fields, request.body)
    assert not check(SECRET, request.fields, request.body + b" ")
    assert not check(SECRET, request.fields | {"webhook-timestamp": "1614265330"}, request.body)


def test_the_hook_is_asked_as_shown_and_takes_the_answers(receiver, make_sender, make_chat):
    server = make_sender(HOOK_BEFORE_MESSAGE_URL=receiver.url, HOOK_DEADLINE_MS="10000")
    ada = make_chat(server, "ada", "ada")
    ada.join("den")
    allow, refuse, replace = ALL["docs/protocol.md › The hook before a message (2)"].text.splitlines()
    receiver.answers(200, allow.encode())
    ada.send("den", "hi", clientMessageId="c1")
    shown = json.loads(ALL["docs/protocol.md › The hook before a message"].text)
    asked = receiver.requests[-1].event
    assert kinds(asked) == kinds(shown) and asked["data"] == shown["data"]
    receiver.answers(200, refuse.encode())
    answer = ada.request("send_message", {"roomId": "den", "message": "hi"})
    assert answer["error"] == {"code": "forbidden", "message": "no insults", "retryable": False}
    receiver.answers(200, replace.encode())
    ada.send("den", "hi")
    assert [ada.expect("new_message")["message"] for _ in range(2)] == ["hi", "hello"]
