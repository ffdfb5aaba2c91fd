"""Ids are texts of bytes: bounded by them, distinguished by them, and never merged with what stands beside them."""

from urllib.parse import quote

import pytest

from support.chat import Refused

# As characters these merge with the colon before them.
ANN, BOB = "\u0301ann", "\u0302bob"
COMPOSED, DECOMPOSED = "\u00e9", "e\u0301"


def test_a_direct_room_of_ids_that_begin_with_marks_is_theirs_alone(shared, make_chat):
    id = f"direct:{ANN}:{BOB}"
    ann, bob, eve = (make_chat(shared, user) for user in (ANN, BOB, "eve"))
    # The first participant must be one of the two.
    for chat, data in ((eve, {"roomId": id}), (eve, {"roomId": "direct:\u0301ann"})):
        with pytest.raises(Refused) as refused:
            chat.ask("join_room", data)
        assert refused.value.code == "forbidden"
    ann.join(id)
    bob.join(id)
    assert ann.send(id, "for you")["seq"] == 1
    assert bob.expect("new_message")["message"] == "for you"
    for path in (f"/api/rooms/{quote(id)}", f"/api/chat/{quote(id)}/history"):
        assert shared.get(path, headers={"X-User-Id": "eve"}).status_code == 403
        assert shared.get(path, params={"userId": BOB}).status_code == 200
    made = shared.post("/api/rooms", params={"userId": BOB}, json={"type": "direct", "participants": [ANN]})
    assert made.status_code == 200 and made.json()["room"]["roomId"] == id
    assert made.json()["room"]["type"] == "direct"
    with pytest.raises(Refused) as refused:
        eve.ask("join_room", {"roomId": id})
    assert refused.value.code == "forbidden"


def test_ids_that_look_alike_are_two(shared, make_chat, room):
    one, other = make_chat(shared, COMPOSED), make_chat(shared, DECOMPOSED)
    rooms = [f"{room}-{COMPOSED}", f"{room}-{DECOMPOSED}"]
    one.join(rooms[0])
    other.join(rooms[1])
    assert one.send(rooms[0], "here")["seq"] == 1
    with pytest.raises(Refused) as refused:
        other.send(rooms[0], "not joined")
    assert refused.value.code == "not_joined"
    assert other.send(rooms[1], "there")["seq"] == 1
    sent = one.ask("send_message", {"recipientIds": [DECOMPOSED], "message": "hi"})
    assert sent["recipients"]["sent"] == [DECOMPOSED] and not one.events("message")
    assert other.expect("message")["message"] == "hi"
    # Two keys and two bodies as well.
    acks = [one.send(rooms[0], "same", clientMessageId=key) for key in (COMPOSED, DECOMPOSED)]
    assert [ack["seq"] for ack in acks] == [2, 3]
    with pytest.raises(Refused) as refused:
        one.send(rooms[0], "sam\u0065\u0301", clientMessageId=COMPOSED)
    assert refused.value.code == "conflict"
    listed = [shared.get("/api/rooms", params={"userId": user}).json()["rooms"] for user in (COMPOSED, DECOMPOSED)]
    assert [[each["roomId"] for each in rooms if each["roomId"].startswith(room)] for rooms in listed] == [
        [rooms[0]],
        [rooms[1]],
    ]


TOO_LONG = ["x" * 129, "e" + "\u0301" * 128, "😀" * 129]
CONTROLS = ["a\u0000", "a\nb", "\u001b[2J", "a\u007f", "a\u0085"]


@pytest.mark.parametrize("text", TOO_LONG + CONTROLS, ids=ascii)
def test_texts_that_are_no_id_name_or_key(shared, make_chat, room, text):
    chat = make_chat(shared, "alice")
    chat.join(room)
    for event, data in (
        ("join_room", {"roomId": text}),
        ("check_user_status", {"targetUserId": text}),
        ("identify", {"username": text}),
        ("send_message", {"roomId": room, "message": "x", "clientMessageId": text}),
        ("send_message", {"roomId": room, "message": "x", "replyTo": text}),
        ("send_message", {"recipientIds": [text], "message": "x"}),
    ):
        with pytest.raises(Refused) as refused:
            chat.ask(event, data)
        assert refused.value.code == "bad_request", event
        assert len(str(refused.value)) < 300
    alice = {"X-User-Id": "alice"}
    assert shared.get(f"/api/rooms/{quote(text, safe='')}", headers=alice).status_code == 400
    assert shared.get("/online-status", params={"ids": text}, headers=alice).status_code == 400
    assert shared.get("/api/rooms", params={"userId": text}).status_code == 400
    assert shared.post("/api/rooms", json={"roomId": f"new-{room}", "name": text}, headers=alice).status_code == 400


def test_the_longest_are_taken(shared, make_chat):
    for text in ("x" * 128, "e" + "\u0301" * 127, "😀" * 128, "👩‍👩‍👧‍👦" * 18):
        chat = make_chat(shared, text, text)
        chat.join(text)
        assert chat.send(text, "fits", clientMessageId=text)["seq"] == 1


def test_an_unknown_event_is_quoted_in_part(shared, make_chat):
    chat = make_chat(shared, "alice")
    with pytest.raises(Refused) as refused:
        chat.ask("e" + "\u0301" * 10_000)
    assert refused.value.code == "unknown_event" and len(str(refused.value)) < 300
