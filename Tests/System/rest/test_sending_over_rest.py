"""Sending over REST: the rules of `send_message`, and retries by `Idempotency-Key`."""

import json

import pytest

ALICE = {"X-User-Id": "alice", "X-Username": "Alice"}
ENVIRONMENT = {"MAX_FRAME_BYTES": "65536"}


@pytest.fixture
def send(shared, room):
    shared.post("/api/rooms", headers=ALICE, json={"roomId": room})

    def send(body, headers=ALICE, **options):
        return shared.post(f"/api/chat/{room}/messages", headers=headers, json=body, **options)

    return send


def test_a_message_over_rest_reaches_those_in_the_room(shared, make_chat, room, send):
    bob = make_chat(shared, "bob")
    bob.join(room)
    earlier = send({"message": "first"}).json()["messageId"]
    bob.expect("new_message")
    answer = send({"message": "hello", "messageType": "note", "metadata": {"a": 1}, "replyTo": earlier})
    assert answer.status_code == 201 and answer.headers["Content-Type"] == "application/json"
    ack = answer.json()
    assert ack["success"] is True and ack["seq"] == 2
    live = bob.expect("new_message")
    assert live == {
        "messageId": ack["messageId"], "seq": 2, "roomId": room, "userId": "alice", "username": "Alice",
        "message": "hello", "messageType": "note", "timestamp": ack["timestamp"], "metadata": {"a": 1}, "replyTo": earlier,
    }  # fmt: skip


def test_retries_by_idempotency_key(shared, room, send):
    keyed = ALICE | {"Idempotency-Key": "key-1"}
    first = send({"message": "once"}, keyed)
    retry = send({"message": "once"}, keyed)
    assert (first.status_code, retry.status_code) == (201, 200)
    assert retry.json() == first.json() | {"duplicate": True}
    conflict = send({"message": "other"}, keyed)
    assert conflict.status_code == 409
    assert conflict.headers["Content-Type"] == "application/problem+json"
    assert conflict.json()["code"] == "conflict"
    assert shared.get(f"/api/chat/{room}/history").json()["lastSeq"] == 1


def test_key_and_client_message_id_are_one_thing(shared, make_chat, room, send):
    first = send({"message": "once", "clientMessageId": "c-1"})
    assert send({"message": "once"}, ALICE | {"Idempotency-Key": "c-1"}).status_code == 200
    alice = make_chat(shared, "alice")
    alice.join(room)
    socket = alice.send(room, "once", clientMessageId="c-1")
    assert socket == first.json() | {"duplicate": True}
    both = send({"message": "once", "clientMessageId": "c-1"}, ALICE | {"Idempotency-Key": "c-2"})
    assert both.status_code == 400


@pytest.mark.parametrize("key", ["", "x" * 129])
def test_keys_out_of_bounds(send, key):
    assert send({"message": "x"}, ALICE | {"Idempotency-Key": key}).status_code == 400


def test_nameless_callers_may_not_send(send):
    answer = send({"message": "x"}, headers={})
    assert answer.status_code == 401 and answer.json()["code"] == "unauthorized"
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_the_sender_may_be_named_in_the_query(shared, room, send):
    answer = shared.post(f"/api/chat/{room}/messages?userId=bob", json={"message": "x"})
    assert answer.status_code == 201
    assert shared.get(f"/api/chat/{room}/history").json()["messages"][0]["userId"] == "bob"


@pytest.mark.parametrize(
    "body",
    [{}, {"message": ""}, {"message": 7}, {"message": None}, {"message": "a\x00"}, {"message": "x" * 16385},
     {"message": "x", "metadata": []}, {"message": "x", "clientMessageId": ""}, {"message": "x", "messageType": {}}],
    ids=lambda body: str(body)[:40],
)  # fmt: skip
def test_bodies_of_the_wrong_shape(shared, room, send, body):
    answer = send(body)
    assert answer.status_code == 400 and answer.json()["code"] == "bad_request"
    assert shared.get(f"/api/chat/{room}/history").json()["lastSeq"] is None


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"', '{"message":"x"', "[" * 1000, "null"])
def test_bodies_that_are_not_json_objects(shared, room, send, text):
    answer = shared.post(
        f"/api/chat/{room}/messages", headers=ALICE | {"Content-Type": "application/json"}, data=text.encode()
    )
    assert answer.status_code == 400 and answer.json()["code"] == "bad_request"


def test_a_body_that_is_not_utf8(shared, room, send):
    answer = shared.post(f"/api/chat/{room}/messages", headers=ALICE, data=b'{"message":"\xff"}')
    assert answer.status_code == 400


def test_other_media_types_are_not_taken(shared, room, send):
    for media in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        answer = shared.post(f"/api/chat/{room}/messages", headers=ALICE | {"Content-Type": media}, data=b'{"message":"x"}')
        assert answer.status_code == 415 and answer.json()["code"] == "unsupported_media_type"
    assert send({"message": "x"}, ALICE | {"Content-Type": "application/json; charset=utf-8"}).status_code == 201


def test_a_body_past_the_limit(shared, room, send):
    answer = send({"message": "x", "padding": "p" * 65536})
    assert answer.status_code == 413 and answer.json()["code"] == "payload_too_large"


def test_a_chunked_body_and_a_pipelined_retry(wire, room, send):
    body = json.dumps({"message": "in pieces", "clientMessageId": "chunked"}).encode()
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:1], body[1:10], body[10:])) + b"0\r\n\r\n"
    head = f"POST /api/chat/{room}/messages HTTP/1.1\r\nHost: localhost\r\nX-User-Id: alice\r\n"
    chunked = f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chunks
    whole = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    connection = wire()
    connection.send(chunked + whole)
    first, second = connection.response(), connection.response()
    assert (first.status, second.status) == (201, 200)
    assert second.json() == first.json() | {"duplicate": True}


def test_expect_100_continue_is_answered(wire, room, send):
    connection = wire()
    body = b'{"message":"patient"}'
    head = f"POST /api/chat/{room}/messages HTTP/1.1\r\nHost: localhost\r\nX-User-Id: alice\r\nContent-Length: {len(body)}\r\n"
    connection.send(f"{head}Expect: 100-continue\r\n\r\n")
    assert connection.response().status == 100
    connection.send(body)
    assert connection.response().status == 201


def test_sends_count_against_the_users_allowance(make_server):
    server = make_server({"RATE_LIMIT_MESSAGES": "1"})
    server.post("/api/rooms", headers=ALICE, json={"roomId": "r"})
    statuses, answer = [], None
    for _ in range(6):
        answer = server.post("/api/chat/r/messages", headers=ALICE, json={"message": "x"})
        statuses.append(answer.status_code)
    assert statuses[:3] == [201] * 3 and 429 in statuses
    assert answer.status_code == 429 and int(answer.headers["Retry-After"]) >= 1
    assert answer.json()["code"] == "rate_limited" and answer.json()["retryable"] is True
    other = server.post("/api/chat/r/messages", headers={"X-User-Id": "bob"}, json={"message": "x"})
    assert other.status_code == 201
