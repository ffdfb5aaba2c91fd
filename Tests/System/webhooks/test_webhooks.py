"""Events of every kind reach every receiver, signed; a receiver's troubles are its own."""

import signal

from support.deadline import eventually
from support.metrics import metric
from support.server import free_port
from support.webhooks import SECRET, SERVICE

OTHER_SECRET = "whsec_" + "QUJD" * 8


def test_every_receiver_gets_a_signed_event(make_receiver, make_sender, make_chat):
    first, second = make_receiver(), make_receiver()
    server = make_sender(first, second, WEBHOOK_SECRET=f"{SECRET},{OTHER_SECRET}")
    ada = make_chat(server, "ada")
    ada.join("den")
    sent = ada.send("den", "hello", metadata={"x": 1}, clientMessageId="c1")
    for receiver in (first, second):
        (request,) = receiver.wait_for("message.sent")
        request.check(SECRET)
        request.check(OTHER_SECRET)
        assert request.path == "/events" and request.id == sent["messageId"]
        assert request.data["message"] == "hello" and request.data["seq"] == sent["seq"] == 1
        assert request.data["roomId"] == "den" and request.data["userId"] == "ada"
        assert request.data["metadata"] == {"x": 1} and request.data["clientMessageId"] == "c1"
    eventually(lambda: metric(server, 'chat_webhook_attempts_total{receiver="2",outcome="delivered"}') >= 1, "counted")
    assert first.url not in server.log_text() and "MfKQ9r8G" not in server.log_text()


def test_changes_rooms_members_flags_and_presence_are_events(receiver, make_sender, make_chat):
    server = make_sender(receiver, PRESENCE_GRACE_MS="0")
    ada, ben = make_chat(server, "ada"), make_chat(server, "ben")
    room = server.post("/api/rooms", json={"roomId": "den", "name": "Den"}, headers={"X-User-Id": "ada"})
    assert room.status_code == 201
    ada.join("den")
    ben.join("den")
    id = ada.send("den", "one")["messageId"]
    change = {"roomId": "den", "messageId": id}
    ada.ask("edit_message", change | {"message": "two"})
    ada.ask("react", change | {"emoji": ":wave:"})
    ada.ask("pin_message", change)
    # Of a message that is deleted nothing else is sent any more.
    for type in ("message.sent", "message.edited", "message.reaction", "message.pinned"):
        receiver.wait_for(type)
    path = f"/api/chat/den/messages/{id}/flags"
    assert server.post(path, json={"reason": "rude"}, headers={"X-User-Id": "ben"}).status_code == 200
    assert server.delete(path, headers=SERVICE).status_code == 200
    ada.ask("delete_message", change)
    owner = {"X-User-Id": "ada"}
    assert server.patch("/api/rooms/den", json={"readOnly": True}, headers=owner).status_code == 200
    assert server.put("/api/rooms/den/mutes/ben", json={}, headers=owner).status_code == 200
    assert server.put("/api/rooms/den/participants/cid", headers=owner).status_code == 200
    assert server.delete("/api/rooms/den/participants/cid", headers=owner).status_code == 200
    assert server.delete("/api/rooms/den", headers=owner).status_code == 200
    ben.close()

    def only(type: str) -> dict:
        (request,) = receiver.wait_for(type)
        request.check()
        return request.data

    assert only("room.created") == {
        "roomId": "den", "type": "group", "private": False, "name": "Den", "owner": "ada", "participants": ["ada"],
    }  # fmt: skip
    assert only("member.joined") == {"roomId": "den", "userId": "ben"}
    assert only("message.reaction")["emoji"] == ":wave:"
    assert only("message.pinned")["pinned"] is True
    assert only("message.flagged") == {"roomId": "den", "messageId": id, "userId": "ben"}
    assert only("message.flags_settled") == {"roomId": "den", "messageId": id}
    assert only("message.deleted")["messageId"] == id
    assert only("room.changed") == {"roomId": "den", "readOnly": True}
    assert only("member.muted") == {"roomId": "den", "userId": "ben"}
    assert only("member.added") == only("member.removed") == {"roomId": "den", "userId": "cid"}
    assert only("room.deleted") == {"roomId": "den"}

    def states() -> list[tuple[str, str]]:
        users = [user for request in receiver.of_type("presence.changed") for user in request.data["users"]]
        return [(user["userId"], user["status"]) for user in users]

    eventually(lambda: ("ben", "offline") in states(), "ben is offline")


def test_a_receiver_that_never_answers_delays_no_other(make_receiver, make_sender, make_chat):
    silent, lively = make_receiver(), make_receiver()
    silent.hangs()
    server = make_sender(silent, lively, WEBHOOK_TIMEOUT_MS="1000")
    ada = make_chat(server, "ada")
    ada.join("den")
    texts = [f"message {number}" for number in range(30)]
    for text in texts:
        ada.send("den", text)
    lively.wait_for_text(*texts)
    eventually(lambda: metric(server, 'chat_webhook_attempts_total{receiver="1",outcome="failed"}') >= 1, "its limit")
    silent.released.set()
    silent.wait_for_text(*texts)


def test_a_broker_that_is_away_holds_up_no_webhook(receiver, make_sender, make_chat):
    server = make_sender(receiver, RABBITMQ_URL=f"amqp://127.0.0.1:{free_port()}")
    ada = make_chat(server, "ada")
    ada.join("den")
    ada.send("den", "hello")
    receiver.wait_for_text("hello")
    eventually(lambda: metric(server, "chat_webhook_outbox_messages") == 0, "nothing is owed")
    eventually(lambda: metric(server, "chat_outbox_messages") == 1, "the broker is owed it still")


def test_gone_disables_the_receiver_until_a_reload(receiver, make_sender, make_chat):
    receiver.answers(410)
    server = make_sender(receiver, WEBHOOK_EVENTS="messages")
    ada = make_chat(server, "ada")
    ada.join("den")
    ada.send("den", "one")
    eventually(lambda: metric(server, 'chat_webhook_disabled{receiver="1"}') == 1, "it is disabled")
    assert "answered 410" in server.log_text()
    receiver.answers(200)
    ada.send("den", "two")
    assert server.get("/ready").json()["dependencies"]["webhooks"]["state"] == "degraded"
    server.process.send_signal(signal.SIGHUP)
    eventually(lambda: metric(server, 'chat_webhook_disabled{receiver="1"}') == 0, "it is enabled again")
    ada.send("den", "three")
    receiver.wait_for_text("three")
    assert receiver.texts().count("one") == 1
    letters = server.get("/internal/webhooks/dead-letters", headers=SERVICE).json()["deadLetters"]
    assert "410" in letters[0]["failure"]


def test_retry_after_is_kept(receiver, make_sender, make_chat):
    receiver.answers(429, Retry_After="3")
    server = make_sender(receiver, WEBHOOK_EVENTS="messages")
    ada = make_chat(server, "ada")
    ada.join("den")
    ada.send("den", "one")
    receiver.wait_for_text("one")
    receiver.answers(200)
    ada.send("den", "two")
    receiver.wait_for_text("two")
    eventually(lambda: receiver.texts().count("one") == 2, "the first one again")
    assert min(request.at for request in receiver.requests[1:]) - receiver.requests[0].at >= 2.9


def test_redirects_are_not_followed(make_receiver, make_sender, make_chat):
    receiver, elsewhere = make_receiver(), make_receiver()
    receiver.answers(302, Location=elsewhere.url)
    server = make_sender(receiver)
    ada = make_chat(server, "ada")
    ada.join("den")
    ada.send("den", "hello")
    eventually(lambda: receiver.texts().count("hello") >= 2, "attempted again")
    assert elsewhere.requests == []
    receiver.answers(200)
    (id,) = {request.id for request in receiver.of_type("message.sent")}
    assert id


def test_dead_letters_are_listed_and_replayed(receiver, make_sender, make_chat):
    receiver.answers(500)
    server = make_sender(receiver, WEBHOOK_RETRIES="1s", WEBHOOK_EVENTS="messages")
    ada = make_chat(server, "ada")
    ada.join("den")
    ids = [ada.send("den", text)["messageId"] for text in ("one", "two", "three")]
    path = "/internal/webhooks/dead-letters"

    def letters(query: str = "") -> dict:
        answer = server.get(path + query, headers=SERVICE)
        assert answer.status_code == 200, answer.text
        return answer.json()

    eventually(lambda: len(letters()["deadLetters"]) == 3, "three dead letters")
    assert metric(server, 'chat_webhook_dead_total{receiver="1"}') == 3
    page = letters("?limit=2")
    rest = letters(f"?limit=2&cursor={page['cursor']}")
    found = page["deadLetters"] + rest["deadLetters"]
    assert [letter["event"] for letter in found] == sorted(ids) and "cursor" not in rest
    assert found[0].items() >= {"type": "message.sent", "roomId": "den", "attempts": 2}.items()
    assert found[0]["failure"] == "the receiver answered 500"
    assert receiver.url not in str(found)
    receiver.answers(200)
    receiver.requests.clear()
    assert server.post(f"{path}/replay?event=none", headers=SERVICE).status_code == 404
    assert server.post(f"{path}/replay?event={ids[1]}", headers=SERVICE).json()["replayed"] == 1
    receiver.wait_for_text("two")
    assert server.post(f"{path}/replay", headers=SERVICE).json()["replayed"] == 2
    receiver.wait_for_text("one", "three")
    eventually(lambda: letters()["deadLetters"] == [], "none is left")
    assert metric(server, "chat_webhook_replayed_total") == 3
    assert server.get(path).status_code == 401
