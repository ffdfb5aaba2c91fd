"""Every message has its events, in the form a notification service expects."""

import re

import pytest

from support.broker import collect, declare, delete
from support.deadline import eventually
from support.metrics import metric


@pytest.fixture
def make_events(make_server, broker, queue):
    """A server whose events go to `queue`, and which has found its broker."""

    def make(**env):
        server = make_server({"RABBITMQ_URL": broker.url, "RABBITMQ_QUEUE_NEW_MESSAGE": queue, **env})
        eventually(lambda: metric(server, "chat_broker_connected") == 1, "the broker is connected")
        return server

    return make


def test_an_event_for_each_participant_but_the_sender(make_events, make_chat, broker, queue):
    server = make_events()
    alice, bob, carol = (make_chat(server, name, name.title()) for name in ("alice", "bob", "carol"))
    for chat in (alice, bob, carol):
        chat.join("den")
    carol.close()
    eventually(lambda: metric(server, "chat_sessions") == 2, "carol is gone")
    ack = alice.send("den", 'say "hé"')
    seen = collect(broker, queue, lambda seen: len(seen.events) == 2)

    events = {event["data"]["receiverId"]: event for event in seen.events}
    assert events.keys() == {"bob", "carol"}
    message = alice.expect("new_message")
    for receiver, online in (("bob", True), ("carol", False)):
        event = events[receiver]
        assert event["eventType"] == "message.sent"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event["timestamp"])
        data = event["data"]
        assert isinstance(data.pop("timestamp"), int)
        assert data == {
            "messageId": ack["messageId"],
            "roomId": "den",
            "senderId": "alice",
            "receiverId": receiver,
            "receiverOnline": online,
            "message": 'say "hé"',
            "seq": message["seq"],
            "messageType": "text",
            "username": "Alice",
            "mentioned": False,
        }
    for delivery, event in zip(seen.messages, seen.events):
        assert delivery.message_id == f"{ack['messageId']}:{event['data']['receiverId']}"
        assert delivery.content_type == "application/json"
        assert delivery.type == "message.sent"
        assert delivery.app_id == "chat-service"
        assert delivery.delivery_mode == 2
        assert delivery.timestamp is not None


def test_one_event_for_each_message(make_events, make_chat, broker, queue):
    server = make_events(RABBITMQ_EVENT_MODE="message")
    alice, bob, carol = (make_chat(server, name) for name in ("alice", "bob", "carol"))
    for chat in (alice, bob, carol):
        chat.join("den")
    ack = alice.send("den", "hello")
    (event,) = collect(broker, queue, lambda seen: seen.events).events
    assert event["data"]["messageId"] == ack["messageId"]
    assert sorted(event["data"]["receiverIds"]) == ["bob", "carol"]
    assert sorted(event["data"]["receiversOnline"]) == ["bob", "carol"]
    assert "receiverId" not in event["data"]


def test_a_room_of_one_has_no_event_and_nothing_stays_pending(make_events, make_chat, broker, queue):
    server = make_events()
    alice = make_chat(server, "alice")
    alice.join("alone")
    alice.send("alone", "anybody?")
    make_chat(server, "bob").join("den")
    alice.join("den")
    alice.send("den", "somebody")
    assert collect(broker, queue, lambda seen: seen.events).texts() == ["somebody"]
    eventually(lambda: metric(server, "chat_outbox_messages") == 0, "the outbox is empty")


def test_events_of_a_room_come_in_order(make_events, make_chat, broker, queue):
    server = make_events()
    alice, bob = make_chat(server, "alice"), make_chat(server, "bob")
    alice.join("den"), bob.join("den")
    ids = [alice.emit_with_id("send_message", {"roomId": "den", "message": str(n)}) for n in range(500)]
    for id in ids:
        assert alice.reply(id)["success"]
    seen = collect(broker, queue, lambda seen: len(seen.events) == 500)
    assert seen.texts() == [str(n) for n in range(500)]
    assert max(seen.deliveries.values()) == 1


def test_a_queue_declared_otherwise_is_used_as_it_is(make_events, make_chat, broker, queue):
    declare(broker, queue, durable=True, arguments={"x-max-length": 1000, "x-message-ttl": 60_000})
    server = make_events()
    alice, bob = make_chat(server, "alice"), make_chat(server, "bob")
    alice.join("den"), bob.join("den")
    alice.send("den", "hello")
    assert collect(broker, queue, lambda seen: seen.events).texts() == ["hello"]


def test_a_deleted_queue_comes_back_with_every_event(make_events, make_chat, broker, queue):
    server = make_events()
    alice, bob = make_chat(server, "alice"), make_chat(server, "bob")
    alice.join("den"), bob.join("den")
    alice.send("den", "before")
    assert collect(broker, queue, lambda seen: seen.events).texts() == ["before"]
    delete(broker, queue)
    for n in range(20):
        alice.send("den", f"after {n}")
    returned = 'chat_events_settled_total{outcome="returned"}'
    eventually(lambda: metric(server, returned) >= 1, "an event was returned")
    # The outbox's depth is measured now and then only.
    confirmed = 'chat_events_settled_total{outcome="confirmed"}'
    eventually(lambda: metric(server, confirmed) >= 21, "all have got through")
    seen = collect(broker, queue, lambda seen: len(seen.events) == 20)
    assert set(seen.texts()) == {f"after {n}" for n in range(20)}


def test_a_queue_that_refuses_delays_its_events(make_events, make_chat, broker, queue):
    declare(broker, queue, durable=True, arguments={"x-max-length": 1, "x-overflow": "reject-publish"})
    server = make_events()
    alice, bob = make_chat(server, "alice"), make_chat(server, "bob")
    alice.join("den"), bob.join("den")
    for n in range(5):
        alice.send("den", str(n))
    refused = 'chat_events_settled_total{outcome="refused"}'
    eventually(lambda: metric(server, refused) >= 1, "an event was refused")
    seen = collect(broker, queue, lambda seen: len(seen.events) == 5)
    assert set(seen.texts()) == set("01234")


def test_over_tls(make_events, make_chat, broker, queue):
    server = make_events(RABBITMQ_URL=broker.secure_url("localhost", cacertfile=broker.authority))
    alice, bob = make_chat(server, "alice"), make_chat(server, "bob")
    alice.join("den"), bob.join("den")
    for n in range(100):
        alice.emit("send_message", {"roomId": "den", "message": str(n)})
    seen = collect(broker, queue, lambda seen: len(seen.events) == 100)
    assert seen.texts() == [str(n) for n in range(100)]


@pytest.mark.parametrize("case", ["an unknown authority", "another host's certificate"])
def test_a_broker_that_cannot_prove_itself_gets_no_password(make_server, broker, queue, case):
    trusted = {"cacertfile": broker.authority} if case.startswith("another") else {}
    url = broker.secure_url("127.0.0.1" if trusted else "localhost", **trusted)
    server = make_server({"RABBITMQ_URL": url, "RABBITMQ_QUEUE_NEW_MESSAGE": queue})

    def error() -> str:
        return server.get("/ready").json()["dependencies"]["rabbitmq"]["lastError"] or ""

    eventually(lambda: "secure" in error(), "the refusal shows")


TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_an_event_belongs_to_the_trace_of_its_request(make_events, make_chat, broker, queue):
    server = make_events()
    for name in ("alice", "bob"):
        make_chat(server, name).join("den")

    def post(number: int, trace: str | None) -> None:
        headers = {"X-User-Id": "alice"} | ({"traceparent": trace} if trace else {})
        answer = server.post("/api/chat/den/messages", json={"message": str(number)}, headers=headers)
        assert answer.status_code == 201, answer.text

    # A malformed trace does not make a message invalid.
    given = [TRACE, None, "nonsense", TRACE.upper(), TRACE.replace("00f067aa0ba902b7", "0" * 16), TRACE + "-00"]
    for number, trace in enumerate(given):
        post(number, trace)
    seen = collect(broker, queue, lambda seen: len(seen.events) == len(given))
    headers = {event["data"]["message"]: delivery.headers for delivery, event in zip(seen.messages, seen.events)}
    assert headers["0"] == {"traceparent": TRACE}
    assert all(headers[str(number)] == {} for number in range(1, len(given)))
