"""python-socketio, unchanged, through the whole of the chat contract, in rooms it shares with raw clients.

The server runs two loops, so polling requests of one session come in on both.
"""

import time

import pytest
from sio_client import SocketIOChat
from socketio.exceptions import ConnectionError as SocketIOConnectionError
from support.deadline import eventually


@pytest.fixture(params=["websocket", "polling", "upgrade"])
def transport(request):
    return request.param


@pytest.fixture
def connect(shared, transport):
    clients: list[SocketIOChat] = []

    def connect(user_id=None, username=None, **options):
        client = SocketIOChat(options.pop("url", shared.url), transport, **options)
        clients.append(client)
        client.connect()
        if user_id is not None:
            client.authenticate(user_id, username)
        return client

    yield connect
    for client in clients:
        client.close()


def test_the_transport_is_the_one_under_test(connect, transport):
    client = connect("ada")
    expected = "polling" if transport == "polling" else "websocket"
    eventually(lambda: client.current_transport == expected, f"the transport is {expected}")


def test_a_whole_conversation_with_a_raw_client(connect, shared, make_chat, room):
    ada = connect()
    authenticated = ada.authenticate("ada", "Ada")
    assert authenticated["userId"] == "ada" and authenticated["username"] == "Ada"
    assert authenticated["socketId"] == ada.client.get_sid()
    assert ada.join(room) == {
        "history": [],
        "users": [{"userId": "ada", "username": "Ada"}],
        "state": {"roomId": room, "lastSeq": 0, "members": 1, "online": 1},
    }

    bob = make_chat(shared, "bob", "Bob")
    bob.join(room)
    assert ada.expect("user_joined") == {"roomId": room, "userId": "bob", "username": "Bob"}

    ack = ada.send(room, "hello", clientMessageId="c-1", metadata={"k": [1, None]}, messageType="note")
    message = bob.expect("new_message")
    assert message == ada.expect("new_message")
    assert message == {
        "messageId": ack["messageId"], "seq": 1, "roomId": room, "userId": "ada", "username": "Ada",
        "message": "hello", "messageType": "note", "timestamp": ack["timestamp"], "clientMessageId": "c-1",
        "metadata": {"k": [1, None]},
    }
    again = ada.request(
        "send_message",
        {"roomId": room, "message": "hello", "clientMessageId": "c-1", "metadata": {"k": [1, None]},
         "messageType": "note"},
    )
    assert again == {**ack, "duplicate": True}

    # Before bob says something himself: sending is reading.
    bob.emit("mark_read", {"roomId": room, "seq": 1})
    assert ada.expect("message_read") == {"roomId": room, "userId": "bob", "seq": 1}
    bob.send(room, "hi")
    assert ada.expect("new_message")["message"] == "hi"

    ada.emit("typing", {"roomId": room, "isTyping": True})
    typing = {"roomId": room, "userId": "ada", "username": "Ada"}
    assert bob.expect("user_typing") == {**typing, "isTyping": True}
    bob.emit("typing", {"roomId": room, "isTyping": True})
    assert ada.expect("user_typing")["isTyping"] is True

    ada.emit("mark_read", {"roomId": room, "seq": 2})
    assert bob.expect("message_read") == {"roomId": room, "userId": "ada", "seq": 2}

    late = connect("cleo", "Cleo")
    shown = late.join(room)
    assert [message["message"] for message in shown["history"]] == ["hello", "hi"]
    assert len(shown["users"]) == 3
    since = connect("dan").join(room, since=1)
    assert [message["seq"] for message in since["history"]] == [2]

    ada.emit("leave_room", {"roomId": room})
    assert bob.expect("user_left") == {"roomId": room, "userId": "ada", "username": "Ada"}


def test_every_request_with_an_ack_is_answered(connect, room):
    ada = connect()
    reply = ada.request("authenticate", {"userId": "ada", "username": "Ada"})
    assert reply["success"] is True and reply["userId"] == "ada"
    state = ada.request("join_room", {"roomId": room})
    users = [{"userId": "ada", "username": "Ada"}]
    counts = {"roomId": room, "lastSeq": 0, "members": 1, "online": 1}
    assert state == {"success": True, **counts, "messages": [], "users": users}
    for event, data in [
        ("typing", {"roomId": room, "isTyping": False}),
        ("mark_read", {"roomId": room, "seq": 0}),
        ("user_activity", {}),
        ("identify", {"username": "A."}),
        ("ping", {"n": 1}),
        ("leave_room", {"roomId": room}),
    ]:
        assert ada.request(event, data)["success"] is True, event
    assert ada.expect("pong") == {"n": 1}


def test_a_refusal_is_an_answer_or_an_error_event(connect, room):
    ada = connect()
    refusal = ada.request("join_room", {"roomId": room})
    assert refusal["success"] is False and refusal["error"]["code"] == "unauthenticated"
    ada.authenticate("ada")
    ada.emit("no_such_event", {})
    assert ada.expect("error")["code"] == "unknown_event"
    refusal = ada.request("send_message", {"roomId": room, "message": "x"})
    assert refusal["error"] == {**refusal["error"], "code": "not_joined", "retryable": False}
    assert ada.request("send_message", {"message": "x"})["error"]["code"] == "bad_request"
    assert ada.request("send_message", {"roomId": room, "recipientIds": ["x"], "message": "x"})["error"][
        "code"
    ] == "bad_request"
    assert ada.client.connected


def test_binary_where_text_is_meant_is_an_error_and_no_disconnect(connect, room):
    ada = connect("ada")
    ada.join(room)
    refusal = ada.request("send_message", {"roomId": room, "message": b"\x00\x01"})
    assert refusal["error"]["code"] == "bad_request"
    ada.emit("send_message", {"roomId": room, "message": b"\x00\x01"})
    assert ada.expect("error")["code"] == "bad_request"
    ada.send(room, "still here")


def test_a_message_straight_to_users(connect, shared, make_chat):
    ada, bob, raw = connect("ada"), connect("bob"), make_chat(shared, "raw")
    ack = ada.request(
        "send_message", {"recipientIds": ["bob", "raw", "nobody"], "message": "psst", "metadata": {"k": 1}}
    )
    assert ack["status"] == "sent"
    assert ack["recipients"] == {"total": 3, "sent": ["bob", "raw"], "failed": ["nobody"]}
    for message in (bob.expect("message"), raw.expect("message")):
        assert message["senderId"] == "ada" and message["message"] == "psst" and message["metadata"] == {"k": 1}


def test_a_burst_keeps_its_order(connect, shared, make_chat, room):
    ada, raw = connect("ada"), make_chat(shared, "raw")
    ada.join(room)
    raw.join(room)
    texts = [f"message {number}" for number in range(200)]
    for text in texts[::2]:
        ada.emit("send_message", {"roomId": room, "message": text})
    for _ in texts[::2]:
        raw.expect("new_message")
    for text in texts[1::2]:
        raw.emit("send_message", {"roomId": room, "message": text})
    got = ada.expect_texts(texts[::2] + texts[1::2])
    assert [message["seq"] for message in got] == list(range(1, 201))


def test_upgrading_in_a_busy_room_loses_and_reorders_nothing(shared, make_chat, room):
    sender = make_chat(shared, "sender")
    sender.join(room)
    clients = []
    for number in range(5):
        client = SocketIOChat(shared.url, "upgrade", auth={"userId": f"u{number}"})
        clients.append(client)
        for _ in range(20):
            sender.emit("send_message", {"roomId": room, "message": "x"})
        client.on_connect = lambda client: client.emit("join_room", {"roomId": room, "limit": 1000})
        client.connect()
    for _ in range(20):
        sender.emit("send_message", {"roomId": room, "message": "x"})
    for client in clients:
        history = client.expect("message_history")
        seen = [message["seq"] for message in history]
        while len(seen) < 120:
            seen.append(client.expect("new_message")["seq"])
        assert seen == list(range(1, 121))
        client.close()


def test_through_a_restart_with_resume(make_server, make_chat, transport, room):
    """The client reconnects by itself; what it missed comes by `since`."""
    server = make_server()
    ada = SocketIOChat(server.url, transport)
    seen: list[int] = []

    def greet(client: SocketIOChat) -> None:
        client.emit("authenticate", {"userId": "ada", "username": "Ada"})
        client.emit("join_room", {"roomId": room, **({"since": seen[-1]} if seen else {})})

    ada.on_connect = greet
    ada.connect()
    ada.expect("room_state")
    raw = make_chat(server, "raw")
    raw.join(room)
    for number in range(3):
        raw.send(room, f"before {number}")
        seen.append(ada.expect("new_message")["seq"])
    server.restart()
    raw = make_chat(server, "raw")
    raw.join(room)
    raw.send(room, "while away or just back")
    ada.wait_for(lambda: ada.connects == 2, "reconnect")
    raw.send(room, "after")
    while len(seen) < 5:
        # Either the history of the resume or live, each message once.
        ada.wait_for(lambda: any(name in ("message_history", "new_message") for name, _ in ada.inbox), "a message")
        name, arguments = next(item for item in ada.inbox if item[0] in ("message_history", "new_message"))
        ada.inbox.remove((name, arguments))
        seen += [message["seq"] for message in (arguments[0] if name == "message_history" else arguments)]
    assert seen == [1, 2, 3, 4, 5]
    ada.close()


def test_a_server_that_drains_says_so(make_server, transport, room):
    server = make_server({"SHUTDOWN_GRACE_MS": "300"})
    ada = SocketIOChat(server.url, transport, reconnection=False)
    ada.connect()
    ada.authenticate("ada")
    server._signal(15)
    assert ada.expect("server_draining")["reconnectInMs"] >= 0
    ada.expect("disconnect")
    assert server.wait() == 0


class TestTokens:
    SECRET = "a secret of more than thirty-two bytes"

    @pytest.fixture
    def guarded(self, make_server):
        return make_server({"JWT_SECRET": self.SECRET, "MAX_CONNECTIONS_PER_USER": "1"})

    def token(self, server, user="ada", expires="1h") -> str:
        import subprocess

        from support.server import binary, clean_environment

        command = [str(binary()), "token", "mint", "--user", user, "--expires", expires]
        return subprocess.run(
            command, env=clean_environment(server.env), cwd=server.directory, capture_output=True, text=True, check=True
        ).stdout.strip()

    def test_a_token_in_the_handshake(self, guarded, transport, room):
        ada = SocketIOChat(guarded.url, transport, auth={"token": self.token(guarded)})
        ada.connect()
        assert ada.expect("authenticated")["userId"] == "ada"
        ada.join(room)
        ada.send(room, "hello")
        ada.close()

    def test_a_token_by_event(self, guarded, transport):
        ada = SocketIOChat(guarded.url, transport).connect()
        ada.emit("authenticate", {"token": self.token(guarded)})
        assert ada.expect("authenticated")["userId"] == "ada"
        ada.close()

    def test_a_bad_token_in_the_handshake_is_a_connect_error(self, guarded, transport):
        ada = SocketIOChat(guarded.url, transport, auth={"token": "x.y.z"})
        with pytest.raises(SocketIOConnectionError):
            ada.connect()
        error = ada.expect("connect_error")
        assert error["message"] == "unauthorized"
        assert error["data"]["code"] == "unauthorized" and error["data"]["retryable"] is False

    def test_a_bad_token_by_event_is_an_error(self, guarded, transport):
        ada = SocketIOChat(guarded.url, transport).connect()
        refusal = ada.request("authenticate", {"token": "x.y.z"})
        assert refusal["error"]["code"] == "unauthorized"
        ada.close()

    def test_a_connection_over_the_limit_replaces_the_oldest_which_does_not_come_back(self, guarded, transport):
        token = self.token(guarded)
        first = SocketIOChat(guarded.url, transport, auth={"token": token}).connect()
        first.expect("authenticated")
        second = SocketIOChat(guarded.url, transport, auth={"token": token}).connect()
        second.expect("authenticated")
        assert first.expect("error")["code"] in ("replaced", "forbidden")
        assert first.expect("disconnect") == first.client.reason.SERVER_DISCONNECT
        time.sleep(1)
        assert first.connects == 1 and not first.client.connected
        assert second.request("ping", {})["success"] is True
        second.close()

    def test_an_expired_token_ends_the_connection_for_good(self, guarded, transport):
        ada = SocketIOChat(guarded.url, transport, auth={"token": self.token(guarded, expires="2s")}).connect()
        ada.expect("authenticated")
        ada.expect("token_expiring")
        # 30 seconds of leeway are for clocks that differ, not for connections that live on.
        assert ada.expect("error")["code"] == "unauthorized"
        assert ada.expect("disconnect") == ada.client.reason.SERVER_DISCONNECT
