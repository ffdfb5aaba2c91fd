"""What is owed to a receiver survives the end of the service, however that comes."""

import pytest

from support.deadline import eventually
from support.metrics import metric
from support.webhooks import SERVICE


@pytest.mark.parametrize("ending", ["kill", "terminate"])
def test_a_message_that_was_acknowledged_is_delivered_after_the_end(receiver, make_sender, make_chat, ending):
    receiver.hangs()
    server = make_sender(receiver)
    ada = make_chat(server, "ada")
    ada.join("den")
    ids = {ada.send("den", f"message {number}")["messageId"] for number in range(20)}
    getattr(server, ending)()
    receiver.requests.clear()
    receiver.answers(200)
    receiver.released.set()
    server.start()
    eventually(lambda: ids <= {request.id for request in receiver.of_type("message.sent")}, "all of them")
    for request in receiver.of_type("message.sent"):
        request.check()


def test_a_receiver_that_was_away_gets_everything(receiver, make_sender, make_chat):
    receiver.stop()
    server = make_sender(receiver)
    ada = make_chat(server, "ada")
    ada.join("den")
    texts = [f"message {number}" for number in range(20)]
    for text in texts:
        ada.send("den", text)
    eventually(lambda: metric(server, 'chat_webhook_attempts_total{receiver="1",outcome="failed"}') >= 20, "attempts")
    receiver.start()
    receiver.wait_for_text(*texts)
    receiver.wait_for("room.created")


def test_dead_letters_survive_a_kill(receiver, make_sender, make_chat):
    receiver.answers(500)
    server = make_sender(receiver, WEBHOOK_RETRIES="1s", WEBHOOK_EVENTS="messages")
    ada = make_chat(server, "ada")
    ada.join("den")
    id = ada.send("den", "hello")["messageId"]

    def letters() -> list[str]:
        answer = server.get("/internal/webhooks/dead-letters", headers=SERVICE).json()
        return [letter["event"] for letter in answer["deadLetters"]]

    eventually(lambda: letters() == [id], "a dead letter")
    server.kill()
    receiver.answers(200)
    receiver.requests.clear()
    server.start()
    assert letters() == [id]
    assert server.post("/internal/webhooks/dead-letters/replay", headers=SERVICE).json()["replayed"] == 1
    receiver.wait_for_text("hello")
