"""Every request that asks for a reply gets one under its id, however bad the rest of it is."""

import json

import pytest

from support.chat import Chat

DEEP = '{"a":' * 40 + "1" + "}" * 40
HALF = "\\ud83d"


@pytest.fixture(params=["event", "type"])
def alice(request, shared):
    with Chat(shared.ws_url, "/" if request.param == "event" else "/ws", request.param) as chat:
        chat.authenticate("alice")
        chat.join("answers")
        yield chat


def text(chat: Chat, event: str, data: str, id: str) -> str:
    """A frame whose data is given as JSON text, without its braces."""
    if chat.framing == "event":
        return f'{{"event":"{event}","data":{{{data}}},"id":{id}}}'
    return f'{{"type":"{event}",{data},"id":{id}}}'


def answer(chat: Chat, event: str, data: str, id: str = '"one"'):
    chat.send_text(text(chat, event, data, id))
    return chat.reply(json.loads(id))


def refused(reply) -> str:
    assert reply["success"] is False, reply
    return reply["error"]["code"]


def test_half_a_surrogate_pair_in_a_text(alice):
    assert answer(alice, "send_message", f'"roomId":"answers","message":"half {HALF}"')["success"] is True
    assert alice.expect("new_message")["message"] == "half \ufffd"


def test_numbers_that_are_only_carried(alice):
    data = '"roomId":"answers","message":"n","metadata":{"big":123456789012345678901234567890,"huge":1e400}'
    assert answer(alice, "send_message", data)["success"] is True
    assert alice.expect("new_message")["metadata"] == {"big": 123456789012345678901234567890.0, "huge": 1.7976931348623157e308}


def test_numbers_that_mean_something(alice):
    assert refused(answer(alice, "join_room", '"roomId":"answers","since":123456789012345678901234567890')) == "bad_request"
    assert refused(answer(alice, "join_room", '"roomId":123456789012345678901234567890')) == "bad_request"


def test_nesting_past_the_limit(alice):
    assert refused(answer(alice, "send_message", f'"roomId":"answers","message":"m","metadata":{DEEP}')) == "bad_frame"


def test_text_that_is_no_json(alice):
    assert refused(answer(alice, "send_message", '"roomId":"answers","message":nothing')) == "bad_frame"


def test_a_frame_of_no_framing(alice):
    alice.send_text('{"data":{},"id":7}')
    assert refused(alice.reply(7)) == "bad_frame"
    alice.send_text('{"event":"ping","type":"ping","id":8}')
    assert refused(alice.reply(8)) == "bad_frame"


@pytest.mark.parametrize("id", ["1.5", "12345678901234567890", "1e300", f'"{HALF}"', '""'])
def test_ids_of_every_kind(alice, id):
    given = json.loads(id)
    expected = "\ufffd" if id == f'"{HALF}"' else given
    alice.send_text(text(alice, "typing", '"roomId":"answers","isTyping":true', id))
    assert alice.reply(expected)["success"] is True


def test_over_rest(shared):
    headers = {"X-User-Id": "rest"}
    path = "/api/chat/answers-rest/messages"
    assert shared.post("/api/rooms", json={"roomId": "answers-rest"}, headers=headers).status_code == 201
    taken = shared.post(path, data=f'{{"message":"half {HALF}","metadata":{{"n":1e400}}}}', headers=headers)
    assert taken.status_code == 201, taken.text
    page = shared.get("/api/chat/answers-rest/history", headers=headers).json()
    assert page["messages"][0]["message"] == "half \ufffd"
    deep = shared.post(path, data=f'{{"message":"m","metadata":{DEEP}}}', headers=headers)
    assert (deep.status_code, deep.json()["code"]) == (400, "bad_request")
