"""Webhooks of instances that share MongoDB: each instance delivers what it stored, and another one what a dead one owed."""

import pytest

from support.deadline import eventually
from support.fleet import Fleet
from support.webhooks import KEY, SECRET


@pytest.fixture
def fleet(tmp_path, receiver):
    retries = ",".join(["1s"] * 15)
    env = {"WEBHOOK_URL": receiver.url, "WEBHOOK_SECRET": SECRET, "WEBHOOK_RETRIES": retries, "SERVICE_API_KEY": KEY}
    fleet = Fleet(tmp_path / "fleet", env)
    yield fleet
    fleet.stop()


def test_each_message_is_delivered_by_the_instance_that_stored_it(fleet, receiver, make_chat):
    one, two = (make_chat(server, f"user-{number}") for number, server in enumerate(fleet.servers))
    one.join("den")
    two.join("den")
    ids = {client.send("den", f"message {n}")["messageId"] for n in range(10) for client in (one, two)}
    eventually(lambda: ids <= {request.id for request in receiver.of_type("message.sent")}, "all of them")
    for request in receiver.of_type("message.sent"):
        request.check()
    edited = one.ask("edit_message", {"roomId": "den", "messageId": one.send("den", "x")["messageId"], "message": "y"})
    eventually(lambda: [request.data["seq"] for request in receiver.of_type("message.edited")] == [edited["seq"]], "the edit")
    database = fleet.database()
    eventually(lambda: database["messages"].count_documents({"webhookOwner": {"$exists": True}}) == 0, "no mark is left")
    eventually(lambda: database["chatWebhookDeliveries"].count_documents({}) == 0, "no delivery is left")


def test_what_a_killed_instance_owed_is_delivered_by_another(fleet, receiver, make_chat):
    doomed, _ = fleet.servers
    receiver.hangs()
    ada = make_chat(doomed, "ada")
    # The instance that numbers a room owes its messages, whichever took them from the client. In this room that is the first.
    ada.join("r")
    ids = {ada.send("r", f"message {number}")["messageId"] for number in range(20)}
    deliveries = fleet.database()["chatWebhookDeliveries"]
    owed = {"roomId": "r", "owner": doomed.env["INSTANCE_ID"]}
    eventually(lambda: deliveries.count_documents(owed) == len(ids), "the first owes them")
    doomed.kill()
    receiver.requests.clear()
    receiver.answers(200)
    receiver.released.set()
    eventually(lambda: ids <= {request.id for request in receiver.of_type("message.sent")}, "all of them")
    eventually(lambda: deliveries.count_documents({}) == 0, "no delivery is left")
