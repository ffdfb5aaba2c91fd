"""python-socketio in a room whose messages change: one client that knows of changes, and one that knows nothing of them."""

import pytest
from sio_client import SocketIOChat
from support.deadline import eventually

CHANGES = ("message_edited", "message_reaction", "message_pinned", "message_deleted")


@pytest.fixture
def connect(shared):
    clients: list[SocketIOChat] = []

    def connect(user_id: str) -> SocketIOChat:
        client = SocketIOChat(shared.url, "websocket")
        clients.append(client)
        client.connect()
        client.authenticate(user_id)
        return client

    yield connect
    for client in clients:
        client.close()


def test_a_client_that_listens_sees_what_a_raw_client_sees(connect, make_chat, shared, room):
    listening, raw = connect("ada"), make_chat(shared, "bob")
    listening.join(room)
    raw.join(room)
    said = listening.send(room, "one")["messageId"]
    about = {"roomId": room, "messageId": said}
    assert raw.expect("new_message") == listening.expect("new_message")
    # Changes come from either client.
    answers = [
        listening.request("edit_message", {**about, "message": "two", "metadata": {"k": [1, None]}}),
        raw.ask("react", {**about, "emoji": "👍"}),
        listening.request("react", {**about, "emoji": "👍"}),
        raw.ask("react", {**about, "emoji": "👍", "remove": True}),
        listening.request("delete_message", about),
    ]
    assert [answer["seq"] for answer in answers] == [2, 3, 4, 5, 6]
    for name, seqs in (("message_edited", [2]), ("message_reaction", [3, 4, 5]), ("message_deleted", [6])):
        for seq in seqs:
            event = raw.expect(name)
            assert event == listening.expect(name) and event["seq"] == seq
    # Both read the same when they come back.
    listening.send(room, "three")
    views = []
    for client in (connect("cy"), make_chat(shared, "dan")):
        views.append(client.join(room)["history"])
    assert views[0] == views[1] and [message["seq"] for message in views[0]] == [1, 7]
    assert views[0][0]["deleted"] and views[0][0]["message"] == ""


def test_a_client_that_knows_nothing_of_changes_goes_on(connect, make_chat, shared, room):
    """It handles `new_message` alone, and counts numbers by what it handles."""
    unaware, raw = connect("ada"), make_chat(shared, "bob")
    handled: list[dict] = []
    unaware.client.handlers["/"] = {"new_message": lambda message: handled.append(message)}
    unaware.client.on("error", handled.append)
    unaware.request("join_room", {"roomId": room})
    raw.join(room)
    said = raw.send(room, "one")["messageId"]
    for number in range(10):
        raw.ask("edit_message", {"roomId": room, "messageId": said, "message": f"edit {number}"})
        raw.ask("react", {"roomId": room, "messageId": said, "emoji": f":e{number}:"})
    raw.ask("delete_message", {"roomId": room, "messageId": said})
    answer = unaware.request("send_message", {"roomId": room, "message": "two"})
    assert answer["success"] and answer["seq"] == 23
    raw.expect("new_message", lambda message: message["seq"] == 23)
    raw.send(room, "three")
    expected = [(1, "one"), (23, "two"), (24, "three")]
    raw.expect("new_message", lambda message: message["seq"] == 24)
    eventually(lambda: len(handled) >= len(expected), "the messages come")
    assert [(message["seq"], message["message"]) for message in handled] == expected
    # What it reads on joining is a room as it knows rooms: the deleted message has no text.
    unaware.request("leave_room", {"roomId": room})
    unaware.request("join_room", {"roomId": room, "since": 1})
    assert unaware.client.connected
