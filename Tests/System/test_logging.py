"""What the log says of single connections and of what operators and owners do; and what it never says."""

import json

import jwt
import pytest
import socketio
from websockets.exceptions import InvalidStatus

from support.chat import Chat
from support.deadline import TIMEOUT_SECONDS, eventually
from support.server import free_port

KEY = "a-service-key-that-nobody-guesses"
SECRET = "a-secret-of-the-tests-0123456789abcdef"
TEXT = "what-alice-says-is-nobodys-business"
SERVICE = {"X-Service-Key": KEY}


@pytest.fixture
def server(make_server):
    return make_server(
        {"JWT_SECRET": SECRET, "SERVICE_API_KEY": KEY, "PRESENCE_GRACE_MS": "0", "MAX_CONNECTIONS_PER_USER": "2"}
    )


def lines(server) -> list[dict]:
    return [json.loads(line) for line in server.log_text().splitlines() if line.startswith("{")]


def expect(server, message: str, **fields) -> dict:
    """A line of that message with these fields."""

    def find() -> dict | None:
        for line in lines(server):
            if line["message"] == message and all(line.get(name) == value for name, value in fields.items()):
                return line
        return None

    return eventually(find, f"a line {message!r} with {fields}")


def says_none_of(server, *secrets: str) -> None:
    text = server.log_text()
    for secret in secrets:
        assert secret not in text


def token(user: str) -> str:
    return jwt.encode({"sub": user, "username": user.title()}, SECRET, "HS256")


def socket_io(server, user: str) -> socketio.SimpleClient:
    client = socketio.SimpleClient()
    client.connect(server.url, transports=["polling"], auth={"token": token(user)})
    return client


@pytest.mark.parametrize("path, framing", [("/", "event"), ("/ws", "type")])
def test_a_raw_connection(server, path, framing):
    chat = Chat(server.ws_url, f"{path}?token={token('alice')}", framing=framing)
    session = chat.expect("authenticated")["socketId"]
    chat.join("den")
    chat.send("den", TEXT, metadata={"note": TEXT})
    assert chat.request("mark_read", {"roomId": "elsewhere", "seq": 1})["error"]["code"] == "not_joined"
    chat.request(TEXT, {})
    chat.close(1000)
    expect(server, "session opened", level="debug", session=session, framing=framing)
    expect(server, "authenticated", level="debug", session=session, user="alice")
    expect(server, "request refused", level="debug", session=session, user="alice", event="mark_read", code="not_joined")
    assert "event" not in expect(server, "request refused", level="debug", session=session, code="unknown_event")
    closed = expect(server, "session closed", level="debug", session=session, user="alice", code=1000)
    assert closed["seconds"] >= 0
    says_none_of(server, token("alice"), TEXT)


def test_a_connection_that_breaks_off(server):
    chat = Chat(server.ws_url, f"/?token={token('alice')}")
    chat.expect("authenticated")
    chat.abort()
    assert "code" not in expect(server, "session closed", user="alice", reason="connection lost")


def test_over_socket_io(server):
    client = socket_io(server, "alice")
    client.call("send_message", {"roomId": "den", "message": TEXT}, timeout=TIMEOUT_SECONDS)
    client.disconnect()
    expect(server, "session opened", level="debug", framing="socket.io")
    session = expect(server, "authenticated", user="alice")["session"]
    expect(server, "request refused", session=session, event="send_message", code="not_joined")
    expect(server, "session closed", level="debug", session=session, user="alice")
    with pytest.raises(socketio.exceptions.ConnectionError):
        socketio.SimpleClient().connect(server.url, transports=["polling"], auth={"token": token("bob")[:-3]})
    expect(server, "connection refused", level="debug", framing="socket.io", code="unauthorized")
    says_none_of(server, token("alice"), token("bob")[:-3], TEXT)


def test_refusals_before_there_is_a_session(server):
    refused = token("mallory")[:-3]
    with pytest.raises(InvalidStatus):
        Chat(server.ws_url, f"/?token={refused}", origin="https://elsewhere.example")
    expect(server, "request refused", level="debug", address="127.0.0.1", path="/", code="forbidden")
    assert server.get("/socket.io/?EIO=3&transport=polling").status_code == 400
    expect(server, "request refused", path="/socket.io/", code="unsupportedProtocolVersion")
    assert server.get(f"/api/rooms?token={refused}").status_code == 401
    expect(server, "request refused", method="GET", path="/api/rooms", code="unauthorized")
    with Chat(server.ws_url, f"/?token={refused}") as chat:
        chat.expect_close(4401)
    expect(server, "session closed", code=4401)
    says_none_of(server, refused)


def test_why_the_server_ends_a_session(server):
    sessions = []
    for _ in range(3):
        sessions.append(Chat(server.ws_url, f"/?token={token('alice')}"))
        sessions[-1].expect("authenticated")
    sessions[0].expect_close(4409)
    expect(server, "session closed", user="alice", code=4409, reason="replaced by a newer connection")
    assert server.request("DELETE", "/internal/users/alice/sessions", headers=SERVICE).json()["sessions"] == 2
    for session in sessions[1:]:
        session.expect_close(4401)
    expect(server, "user logged out", level="notice", user="alice", sessions=2, by="service")
    expect(server, "session closed", user="alice", code=4401, reason="logged out")
    garbage = Chat(server.ws_url, f"/?token={token('bob')}")
    for _ in range(10):
        garbage.send_text(TEXT)
    garbage.expect_close(4400)
    expect(server, "session closed", user="bob", code=4400)
    says_none_of(server, KEY, TEXT, token("alice"), token("bob"))


def test_actions_of_owners_and_services(server):
    owner = {"Authorization": f"Bearer {token('alice')}"}
    assert server.post("/api/rooms", json={"roomId": "club", "private": True}, headers=owner).status_code == 201
    path = "/api/rooms/club"
    for method, where, headers, by, message in (
        ("PUT", f"{path}/participants/bob", owner, "alice", "participant added"),
        ("DELETE", f"{path}/participants/bob", SERVICE, "service", "participant removed"),
    ):
        assert server.request(method, where, headers=headers).status_code == 200
        expect(server, message, level="notice", room="club", user="bob", by=by)
    assert server.request("PATCH", path, json={"name": TEXT}, headers=owner).status_code == 200
    expect(server, "room changed", level="notice", room="club", by="alice")
    assert server.request("DELETE", path, headers=owner).status_code == 200
    expect(server, "room deleted", level="notice", room="club", by="alice")
    assert server.request("PUT", "/api/users/alice/profile", json={"name": TEXT}, headers=SERVICE).status_code == 200
    expect(server, "profile set", level="info", user="alice", by="service")
    for method, message in (("PUT", "friendship made"), ("DELETE", "friendship ended")):
        assert server.request(method, "/api/users/alice/friends/bob", headers=SERVICE).status_code == 200
        expect(server, message, level="info", user="alice", friend="bob", by="service")
    says_none_of(server, KEY, TEXT, token("alice"))


def test_single_connections_are_left_out_above_debug(make_server):
    server = make_server({"JWT_SECRET": SECRET, "LOG_LEVEL": "info"})
    with Chat(server.ws_url, f"/?token={token('alice')}") as chat:
        chat.expect("authenticated")
    assert server.terminate() == 0
    assert "alice" not in server.log_text()


def test_services_on_the_internal_listener(make_server):
    port = free_port()
    server = make_server({"SERVICE_API_KEY": KEY, "INTERNAL_PORT": str(port)})
    url = f"http://127.0.0.1:{port}"
    service = socketio.SimpleClient()
    service.connect(url, transports=["websocket"], auth={"serviceKey": KEY, "serviceName": "billing"})
    service.disconnect()
    expect(server, "service connected", level="debug", service="billing")
    expect(server, "service left", level="debug", service="billing")
    with pytest.raises(socketio.exceptions.ConnectionError):
        socketio.SimpleClient().connect(url, transports=["websocket"], auth={"serviceKey": KEY[:-1]})
    expect(server, "connection refused", framing="socket.io", code="unauthorized")
    says_none_of(server, KEY[:-1])
