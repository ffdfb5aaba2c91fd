"""The hook before a message: what it may say, and what becomes of messages when it says nothing valid in time."""

import json
import threading

import pytest
import socketio

from support.chat import Refused
from support.deadline import TIMEOUT_SECONDS, eventually
from support.metrics import metric
from support.webhooks import Receiver, Request


@pytest.fixture
def make_hooked(make_sender, receiver):
    """Makes servers that ask the receiver. The deadline is long, so that no answer is late but by intention."""

    def make(**env: str):
        return make_sender(HOOK_BEFORE_MESSAGE_URL=receiver.url, **({"HOOK_DEADLINE_MS": "10000"} | env))

    return make


def decide(receiver: Receiver) -> None:
    """The text says what the hook answers."""

    def answer(request: Request) -> tuple[int, dict[str, str], bytes]:
        verb, _, rest = request.data["message"].partition(" ")
        body = {
            "refuse": {"action": "refuse", "reason": rest},
            "replace": {"action": "replace", "message": rest},
        }.get(verb, {"action": "allow"})
        return 200, {}, json.dumps(body).encode()

    receiver.answer = answer


def refusal(send) -> dict:
    with pytest.raises(Refused) as refused:
        send()
    return refused.value.error


def test_messages_are_allowed_refused_and_replaced(receiver, make_hooked, make_chat):
    decide(receiver)
    server = make_hooked()
    ada, ben = make_chat(server, "ada"), make_chat(server, "ben")
    ada.join("den")
    ben.join("den")
    assert ada.send("den", "hello", clientMessageId="c1")["seq"] == 1
    assert refusal(lambda: ada.send("den", "refuse no insults")) == {
        "code": "forbidden", "message": "no insults", "retryable": False,
    }  # fmt: skip
    assert ada.send("den", "replace better")["seq"] == 2
    assert [ben.expect("new_message")["message"] for _ in range(2)] == ["hello", "better"]
    question = receiver.requests[0]
    question.check()
    assert question.type == "message.before"
    assert question.data == {
        "roomId": "den", "userId": "ada", "username": "ada", "message": "hello", "messageType": "text",
        "clientMessageId": "c1",
    }  # fmt: skip
    asked = len(receiver.requests)
    assert ada.send("den", "hello", clientMessageId="c1")["duplicate"] is True
    assert len(receiver.requests) == asked, "a message that is stored is not asked about again"
    assert metric(server, 'chat_hook_answers_total{answer="refuse"}') == 1


def test_edits_rest_and_socket_io_are_asked_about(receiver, make_hooked, make_chat):
    decide(receiver)
    server = make_hooked()
    ada = make_chat(server, "ada")
    ada.join("den")
    id = ada.send("den", "hello")["messageId"]
    edit = lambda text: ada.ask("edit_message", {"roomId": "den", "messageId": id, "message": text})
    assert refusal(lambda: edit("refuse x"))["code"] == "forbidden"
    edit("replace edited")
    path = "/api/chat/den/messages"
    shown = server.get(f"{path}/{id}", headers={"X-User-Id": "ada"}).json()["message"]
    assert shown["message"] == "edited"
    assert [request.type for request in receiver.requests[-2:]] == ["edit.before"] * 2
    assert receiver.requests[-1].data["messageId"] == id
    refused = server.post(path, json={"message": "refuse by hook"}, headers={"X-User-Id": "ada"})
    assert refused.status_code == 403 and refused.json()["detail"] == "by hook"
    sent = server.post(path, json={"message": "replace over REST"}, headers={"X-User-Id": "ada"})
    assert sent.status_code == 201
    ben = socketio.SimpleClient()
    ben.connect(server.url, transports=["websocket"])
    try:
        call = lambda event, data: ben.call(event, data, timeout=TIMEOUT_SECONDS)
        assert call("authenticate", {"userId": "ben"})["success"] is True
        assert call("join_room", {"roomId": "den"})["success"] is True
        assert call("send_message", {"roomId": "den", "message": "refuse by hook"})["error"]["code"] == "forbidden"
        assert call("send_message", {"roomId": "den", "message": "replace over Socket.IO"})["success"] is True
    finally:
        ben.disconnect()
    history = server.get("/api/chat/den/history", headers={"X-User-Id": "ada"}).json()["messages"]
    assert [message["message"] for message in history] == ["edited", "over REST", "over Socket.IO"]


BAD_ANSWERS = {
    "a late one": None,
    "1 MB": json.dumps({"action": "replace", "message": "x" * 1_000_000}).encode(),
    "more than a client may send": json.dumps({"action": "replace", "message": "x" * 20_000}).encode(),
    "no JSON": b"{'action'",
    "another action": b'{"action":"shrug"}',
    "no text": b'{"action":"replace"}',
}


@pytest.mark.parametrize("answer", BAD_ANSWERS)
def test_a_hook_that_fails_leaves_it_to_the_operator(receiver, make_hooked, make_chat, answer):
    if BAD_ANSWERS[answer] is None:
        receiver.hangs()
    else:
        receiver.answers(200, BAD_ANSWERS[answer])
    deadline = {"HOOK_DEADLINE_MS": "300"} if BAD_ANSWERS[answer] is None else {}
    strict, lenient = make_hooked(**deadline), make_hooked(HOOK_FAILURE="allow", **deadline)
    ada, ben = make_chat(strict, "ada"), make_chat(lenient, "ben")
    ada.join("den")
    ben.join("den")
    error = refusal(lambda: ada.send("den", "hello"))
    assert error["code"] == "overloaded" and error["retryable"] is True
    assert ben.send("den", "hello")["seq"] == 1
    assert ben.expect("new_message")["message"] == "hello"
    assert metric(strict, 'chat_hook_answers_total{answer="none"}') == 1
    assert strict.get("/ready").json()["dependencies"]["hook"]["state"] == "down"
    # What comes after the deadline is ignored.
    receiver.released.set()
    assert strict.get("/api/chat/den/history", headers={"X-User-Id": "ada"}).json()["messages"] == []


def test_the_order_of_a_sender_is_kept_and_others_go_on(receiver, make_hooked, make_chat):
    held = threading.Event()

    def answer(request: Request) -> tuple[int, dict[str, str], bytes]:
        if request.data["message"] == "slow":
            held.wait(TIMEOUT_SECONDS)
        return 204, {}, b""

    receiver.answer = answer
    # The deadline may end the wait before the test does: the order is the same.
    server = make_hooked(HOOK_FAILURE="allow")
    ada, ben = make_chat(server, "ada"), make_chat(server, "ben")
    ada.join("den")
    ben.join("den")
    slow = ada.emit_with_id("send_message", {"roomId": "den", "message": "slow"})
    rest = [ada.emit_with_id("send_message", {"roomId": "den", "message": f"{n}"}) for n in range(5)]
    eventually(lambda: receiver.requests, "the hook is asked")
    assert ben.send("den", "other")["success"] is True
    held.set()
    numbers = [ada.reply(id)["seq"] for id in [slow, *rest]]
    assert numbers == sorted(numbers)
    texts = [ben.expect("new_message")["message"] for _ in range(7)]
    assert [text for text in texts if text != "other"] == ["slow", "0", "1", "2", "3", "4"]


def test_a_hook_that_is_away_is_answered_for_and_used_when_it_is_back(receiver, make_hooked, make_chat):
    decide(receiver)
    server = make_hooked()
    ada = make_chat(server, "ada")
    ada.join("den")
    receiver.stop()
    assert refusal(lambda: ada.send("den", "hello"))["code"] == "overloaded"
    receiver.start()
    assert refusal(lambda: ada.send("den", "refuse again"))["code"] == "forbidden"
    assert ada.send("den", "hello")["seq"] == 1
