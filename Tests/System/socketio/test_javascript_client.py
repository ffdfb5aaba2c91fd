"""The published JavaScript client, unchanged, in Chromium."""

import pytest
from js_client import BrowserClient, client_file
from sio_client import SocketIOChat

TRANSPORTS = {"default": None, "websocket": ["websocket"], "polling": ["polling"]}


def new_page_context(chromium):
    """The policy of the page that is borrowed for its origin is for that page, not for the client under test."""
    return chromium.new_context(ignore_https_errors=True, bypass_csp=True)


@pytest.fixture
def connect(chromium):
    contexts = []

    def connect(server, options=None, **more) -> BrowserClient:
        contexts.append(new_page_context(chromium))
        return BrowserClient(contexts[-1].new_page(), server.url, options, **more)

    yield connect
    for context in contexts:
        context.close()


@pytest.fixture(params=list(TRANSPORTS))
def options(request):
    transports = TRANSPORTS[request.param]
    return {"transports": transports} if transports else {}


def test_the_default_begins_by_polling_and_moves_to_a_websocket(connect, shared):
    client = connect(shared)
    client.wait_connected()
    client.wait_transport("websocket")
    assert client.page.evaluate("transports") == ["polling", "websocket"]
    assert client.request("ping", {"n": 1})["success"] is True


def test_a_whole_conversation_among_every_kind_of_client(connect, shared, make_chat, room, options):
    ada = connect(shared, options)
    ada.wait_connected()
    ada.emit("authenticate", {"userId": "ada", "username": "Ada"})
    assert ada.expect("authenticated")["socketId"] == ada.page.evaluate("socket.id")
    ada.emit("join_room", {"roomId": room})
    assert ada.expect("message_history") == []
    assert ada.expect("room_users") == [{"userId": "ada", "username": "Ada"}]
    assert ada.expect("room_state") == {"roomId": room, "lastSeq": 0, "members": 1, "online": 1}

    bob = make_chat(shared, "bob", "Bob")
    bob.join(room)
    assert ada.expect("user_joined") == {"roomId": room, "userId": "bob", "username": "Bob"}
    cleo = SocketIOChat(shared.url, "polling").connect()
    cleo.authenticate("cleo", "Cleo")
    cleo.join(room)

    ack = ada.request("send_message", {"roomId": room, "message": "hällo 🙂", "clientMessageId": "c-1"})
    assert ack["success"] is True and ack["seq"] == 1
    message = ada.expect("new_message")
    assert bob.expect("new_message") == message == cleo.expect("new_message")
    assert message["message"] == "hällo 🙂" and message["username"] == "Ada"
    assert ada.request("send_message", {"roomId": room, "message": "hällo 🙂", "clientMessageId": "c-1"}) == {
        **ack, "duplicate": True
    }
    bob.send(room, "raw")
    cleo.send(room, "python")
    assert [ada.expect("new_message")["message"] for _ in range(2)] == ["raw", "python"]

    ada.emit("typing", {"roomId": room, "isTyping": True})
    assert bob.expect("user_typing")["isTyping"] is True
    cleo.emit("typing", {"roomId": room, "isTyping": True})
    assert ada.expect("user_typing", userId="cleo")["isTyping"] is True
    ada.emit("mark_read", {"roomId": room, "seq": 3})
    assert bob.expect("message_read")["seq"] == 3
    ada.emit("ping", {"n": 1})
    assert ada.expect("pong") == {"n": 1}
    ada.emit("no_such_event")
    assert ada.expect("error")["code"] == "unknown_event"
    refusal = ada.request("send_message", {"roomId": room + "-other", "message": "x"})
    assert refusal["success"] is False and refusal["error"]["code"] == "not_joined"
    ack = bob.ask("send_message", {"recipientIds": ["ada", "cleo"], "message": "psst"})
    assert sorted(ack["recipients"]["sent"]) == ["ada", "cleo"]
    assert ada.expect("message")["message"] == "psst"
    ada.emit("leave_room", {"roomId": room})
    assert bob.expect("user_left")["userId"] == "ada"
    cleo.close()


def test_binary_where_text_is_meant_is_an_error_and_no_disconnect(connect, shared, room, options):
    ada = connect(shared, options)
    ada.wait_connected()
    ada.emit("authenticate", {"userId": "ada"})
    ada.emit("join_room", {"roomId": room})
    code = ada.page.evaluate(
        """room => socket.timeout(60000).emitWithAck("send_message", {roomId: room, message: new Uint8Array([1, 2])})
             .then(answer => answer.error.code)""",
        room,
    )
    assert code == "bad_request"
    assert ada.request("send_message", {"roomId": room, "message": "text"})["success"] is True


def test_through_a_restart_with_resume(connect, make_server, make_chat, room, options):
    server = make_server()
    ada = connect(server, options)
    ada.wait_connected()
    ada.page.evaluate(
        """room => {
          window.seen = [];
          const greet = () => {
            socket.emit("authenticate", {userId: "ada"});
            socket.emit("join_room", seen.length ? {roomId: room, since: seen[seen.length - 1]} : {roomId: room});
          };
          socket.on("message_history", messages => seen.push(...messages.map(message => message.seq)));
          socket.on("new_message", message => seen.push(message.seq));
          socket.on("connect", greet);
          greet();
        }""",
        room,
    )
    ada.expect("room_state")
    raw = make_chat(server, "raw")
    raw.join(room)
    for number in range(3):
        raw.send(room, f"before {number}")
    ada.page.wait_for_function("seen.length === 3")
    server.restart()
    raw = make_chat(server, "raw")
    raw.join(room)
    raw.send(room, "while away or just back")
    ada.wait_connected(2)
    raw.send(room, "after")
    ada.page.wait_for_function("seen.length >= 5")
    assert ada.page.evaluate("seen") == [1, 2, 3, 4, 5]


def test_an_unknown_namespace_is_a_connect_error(chromium, shared):
    context = new_page_context(chromium)
    page = context.new_page()
    page.goto(shared.url + "/health")
    page.add_script_tag(path=str(client_file()))
    message = page.evaluate(
        "url => new Promise(done => io(url + '/nowhere').on('connect_error', error => done(error.message)))", shared.url
    )
    assert message == "Invalid namespace"
    context.close()


def test_the_server_serves_the_client_at_the_configured_path(make_server):
    server = make_server({"SOCKETIO_CLIENT_FILE": str(client_file())})
    answer = server.get("/client/vendor/socket.io.min.js")
    assert answer.status_code == 200 and "javascript" in answer.headers["Content-Type"]
    assert answer.content == client_file().read_bytes()


@pytest.mark.parametrize("transport", ["polling", "websocket"])
class TestOrigins:
    def test_a_page_of_another_site_is_refused(self, connect, make_server, shared, transport):
        server = make_server()
        client = connect(server, {"transports": [transport], "reconnection": False}, page_url=shared.url)
        client.expect("connect_error")

    def test_a_page_on_the_list_is_welcome_with_credentials(self, connect, make_server, shared, transport):
        server = make_server({"CORS_ORIGIN": shared.url})
        client = connect(
            server, {"transports": [transport], "withCredentials": True, "reconnection": False}, page_url=shared.url
        )
        client.wait_connected()
        assert client.request("ping", {})["success"] is True


def test_tls_from_polling_to_a_websocket(connect, make_server, certificate, room):
    server = make_server(
        {"TLS_CERT_FILE": str(certificate[0]), "TLS_KEY_FILE": str(certificate[1]), "EVENT_LOOPS": "3"}
    )
    for number in range(4):
        client = connect(server)
        assert client.wait_connected()["transport"] == "polling"
        client.emit("authenticate", {"userId": f"u{number}"})
        client.emit("join_room", {"roomId": room})
        client.wait_transport("websocket")
        assert client.request("send_message", {"roomId": room, "message": "secure"})["seq"] == number + 1
