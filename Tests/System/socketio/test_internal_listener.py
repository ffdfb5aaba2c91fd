"""The port for other services, and what they ask for over REST."""

import pytest
import requests
from engineio_wire import Polling, Socket
from sio_client import SocketIOChat
from socketio.exceptions import ConnectionError as SocketIOConnectionError
from support.deadline import TIMEOUT_SECONDS
from support.server import free_port
from support.wire import Wire

KEY = "the-key-of-the-services"
PATH = "/socket.io/"


@pytest.fixture
def server(make_server):
    port = str(free_port())
    return make_server({"INTERNAL_PORT": port, "SERVICE_API_KEY": KEY})


def internal_url(server) -> str:
    return f"http://127.0.0.1:{server.env['INTERNAL_PORT']}"


@pytest.fixture
def connect():
    clients = []

    def connect(url, transport="websocket", **options) -> SocketIOChat:
        clients.append(SocketIOChat(url, transport, **options))
        return clients[-1].connect()

    yield connect
    for client in clients:
        client.close()


@pytest.mark.parametrize("transport", ["websocket", "polling", "upgrade"])
def test_a_service_writes_to_users(server, connect, make_chat, transport):
    service = connect(
        internal_url(server), transport, auth={"serviceKey": KEY, "serviceName": "notification_service"}
    )
    assert service.expect("connected") == {"socketId": service.client.get_sid()}
    ada, bob = connect(server.url, transport), make_chat(server, "bob")
    ada.authenticate("ada")
    ack = service.request(
        "send_message",
        {"recipientIds": ["ada", "bob", "nobody"], "message": "Due today", "metadata": {"type": "reminder"}},
    )
    assert ack["status"] == "sent"
    assert ack["recipients"] == {"total": 3, "sent": ["ada", "bob"], "failed": ["nobody"]}
    assert ack["timestamp"].endswith("Z")
    for message in (ada.expect("message"), bob.expect("message")):
        assert message["senderId"] == "notification_service" and message["message"] == "Due today"
        assert message["metadata"] == {"serviceName": "notification_service", "type": "reminder"}
        assert len(message["messageId"]) == 24 and isinstance(message["timestamp"], int)


def test_the_order_of_a_services_messages_is_kept(server, connect, make_chat):
    service = connect(internal_url(server), auth={"serviceKey": KEY})
    ada = make_chat(server, "ada")
    for number in range(300):
        service.emit("send_message", {"recipientIds": ["ada"], "message": str(number)})
    got = [ada.expect("message")["message"] for _ in range(300)]
    assert got == [str(number) for number in range(300)]


def test_the_service_name_in_the_metadata_is_kept(server, connect, make_chat):
    service = connect(internal_url(server), auth={"serviceKey": KEY, "serviceName": "gateway"})
    ada = make_chat(server, "ada")
    service.request("send_message", {"recipientIds": ["ada"], "message": "x", "metadata": {"serviceName": "billing"}})
    message = ada.expect("message")
    assert message["metadata"] == {"serviceName": "billing"} and message["senderId"] == "gateway"
    service.request("send_message", {"recipientIds": ["ada"], "message": "x"})
    assert ada.expect("message")["metadata"] == {"serviceName": "gateway"}


def test_no_reached_user_is_an_error_status(server, connect):
    service = connect(internal_url(server), auth={"serviceKey": KEY})
    ack = service.request("send_message", {"recipientIds": ["nobody"], "message": "x"})
    assert ack["status"] == "error" and ack["recipients"] == {"total": 1, "sent": [], "failed": ["nobody"]}


class TestTheKey:
    @pytest.mark.parametrize("auth", [None, {}, {"serviceKey": "wrong"}, {"serviceKey": ""}, {"token": KEY}])
    def test_is_needed(self, server, auth):
        client = SocketIOChat(internal_url(server), "websocket", auth=auth)
        with pytest.raises(SocketIOConnectionError):
            client.connect()
        assert client.expect("connect_error")["message"] == "unauthorized"

    def test_may_come_in_a_header(self, server):
        for session in (
            Socket(int(server.env["INTERNAL_PORT"]), PATH, X_Service_Key=KEY),
            Polling(int(server.env["INTERNAL_PORT"]), PATH, X_Service_Key=KEY),
        ):
            session.send("40")
            answer = session.receive() if isinstance(session, Socket) else session.poll()[0]
            assert answer.startswith("40{")

    def test_in_a_header_may_be_wrong(self, server):
        with Socket(int(server.env["INTERNAL_PORT"]), PATH, X_Service_Key="wrong") as socket:
            socket.send("40")
            assert socket.receive().startswith('44{"message":"unauthorized"')

    def test_is_not_asked_for_where_the_network_guards_the_port(self, make_server, connect):
        server = make_server({"INTERNAL_PORT": str(free_port()), "INTERNAL_AUTH": "none"})
        service = connect(internal_url(server))
        assert service.expect("connected")["socketId"]

    def test_never_reaches_the_log(self, server, connect):
        connect(internal_url(server), auth={"serviceKey": KEY}).expect("connected")
        server.post("/internal/messages", headers={"X-Service-Key": KEY + "wrong"}, json={})
        assert KEY not in server.log_text()


class TestNothingElse:
    @pytest.mark.parametrize("event", ["authenticate", "join_room", "typing", "ping", "get_online_users", "x" * 300])
    def test_is_an_event_there(self, server, connect, event):
        service = connect(internal_url(server), auth={"serviceKey": KEY})
        refusal = service.request(event, {"roomId": "r", "userId": "u", "isTyping": True})
        assert refusal["error"]["code"] == "unknown_event"
        service.emit(event, {})
        assert service.expect("error")["code"] == "unknown_event"

    @pytest.mark.parametrize(
        "data",
        [
            {},
            {"recipientIds": ["a"]},
            {"message": "x"},
            {"recipientIds": [], "message": "x"},
            {"recipientIds": "a", "message": "x"},
            {"recipientIds": [["a"]], "message": "x"},
            {"recipientIds": ["a"] * 1001, "message": "x"},
            {"recipientIds": ["a"], "message": ""},
            {"recipientIds": ["a"], "message": {"text": "x"}},
            {"recipientIds": ["a"], "message": "x", "metadata": "x"},
            {"recipientIds": ["a"], "message": "x", "roomId": "r"},
            {"roomId": "r", "message": "x"},
            "text",
            {"recipientIds": ["a"], "message": b"binary"},
        ],
        ids=lambda data: str(data)[:50],
    )
    def test_is_a_message(self, server, connect, data):
        service = connect(internal_url(server), auth={"serviceKey": KEY})
        assert service.request("send_message", data)["error"]["code"] == "bad_request"

    @pytest.mark.parametrize("path", ["/", "/health", "/metrics", "/api/rooms", "/internal/messages"])
    def test_is_served_over_http(self, server, path):
        answer = requests.get(internal_url(server) + path, timeout=TIMEOUT_SECONDS)
        assert answer.status_code == 404 and answer.json()["code"] == "not_found"

    def test_is_a_websocket(self, server):
        with Wire(int(server.env["INTERNAL_PORT"])) as wire:
            assert wire.upgrade("/").status == 404

    def test_sessions_of_the_other_port_are_not_known(self, server):
        with Polling(server.port, PATH) as user:
            with Polling(int(server.env["INTERNAL_PORT"]), PATH, handshake=False) as service:
                service.sid = user.sid
                answer = service.get_once(service.query)
                assert (answer.status, answer.json()["code"]) == (400, 1)


class TestOverREST:
    def test_a_service_writes_to_users(self, server, make_chat):
        ada = make_chat(server, "ada")
        answer = server.post(
            "/internal/messages",
            headers={"X-Service-Key": KEY},
            json={"recipientIds": ["ada", "bob"], "message": "x", "metadata": {"serviceName": "billing", "n": 1}},
        )
        assert answer.status_code == 200
        delivery = answer.json()
        assert delivery["status"] == "sent"
        assert delivery["recipients"] == {"total": 2, "sent": ["ada"], "failed": ["bob"]}
        message = ada.expect("message")
        assert message["senderId"] == "billing" and message["metadata"] == {"serviceName": "billing", "n": 1}

    def test_an_unnamed_service_has_a_name_too(self, server, make_chat):
        ada = make_chat(server, "ada")
        server.post("/internal/messages", headers={"X-Service-Key": KEY}, json={"recipientIds": ["ada"], "message": "x"})
        message = ada.expect("message")
        assert message["senderId"] == "internal" and message["metadata"] == {"serviceName": "internal"}

    @pytest.mark.parametrize("headers", [{}, {"X-Service-Key": "wrong"}, {"X-User-Id": "ada"}])
    def test_the_key_is_needed(self, server, headers):
        answer = server.post("/internal/messages", headers=headers, json={"recipientIds": ["ada"], "message": "x"})
        assert answer.status_code == 401

    def test_only_post_is_taken(self, server):
        answer = server.get("/internal/messages", headers={"X-Service-Key": KEY})
        assert answer.status_code == 405 and answer.headers["Allow"] == "POST"

    def test_bad_input_is_refused(self, server):
        answer = server.post("/internal/messages", headers={"X-Service-Key": KEY}, json={"recipientIds": ["ada"]})
        assert answer.status_code == 400 and answer.json()["code"] == "bad_request"

    def test_a_service_logs_a_user_out_over_socket_io(self, server, connect):
        ada, other = connect(server.url), connect(server.url, "polling")
        ada.authenticate("ada")
        socket_id = other.authenticate("ada")["socketId"]
        answer = server.request(
            "DELETE", f"/internal/users/ada/sessions?socketId={socket_id}", headers={"X-Service-Key": KEY}
        )
        assert answer.status_code == 200
        assert other.expect("error")["code"] == "unauthorized"
        assert other.expect("disconnect") == other.client.reason.SERVER_DISCONNECT
        assert ada.request("ping", {})["success"] is True
        server.request("DELETE", "/internal/users/ada/sessions", headers={"X-Service-Key": KEY})
        assert ada.expect("disconnect") == ada.client.reason.SERVER_DISCONNECT
        assert ada.connects == 1


def test_it_has_an_address_of_its_own(make_server):
    server = make_server({"INTERNAL_PORT": str(free_port()), "INTERNAL_HOST": "127.0.0.2", "SERVICE_API_KEY": KEY})
    port = int(server.env["INTERNAL_PORT"])
    with Wire(port, host="127.0.0.2") as wire:
        assert wire.upgrade(f"{PATH}?EIO=4&transport=websocket").status == 101
    with pytest.raises(ConnectionRefusedError):
        Wire(port)


def test_guesses_of_the_key_are_limited(server):
    def guess(key: str) -> str:
        with Socket(int(server.env["INTERNAL_PORT"]), PATH) as socket:
            socket.send(f'40{{"serviceKey":"{key}"}}')
            return socket.receive()

    answers = [guess("wrong") for _ in range(100)]
    assert all('"unauthorized"' in answer for answer in answers[:10])
    assert any('"rate_limited"' in answer for answer in answers)


def test_without_a_key_only_names_of_loopback_are_believed(make_server):
    server = make_server({"INTERNAL_PORT": str(free_port()), "INTERNAL_AUTH": "none"})
    for host, status in [("localhost", 101), ("evil.example", 403)]:
        with Wire(int(server.env["INTERNAL_PORT"])) as wire:
            assert wire.upgrade(f"{PATH}?EIO=4&transport=websocket", Host=host).status == status
