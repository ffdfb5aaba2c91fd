"""Fields that every HTTP answer has, health and metrics, origins, and the chat page."""

import re

import pytest

from support.deadline import eventually
from support.wire import Wire

ENVIRONMENT = {"CORS_ORIGIN": "https://chat.example.com,http://localhost:3000"}
SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}


def test_errors_are_problems(shared):
    for answer, status, code in [
        (shared.get("/nowhere"), 404, "not_found"),
        (shared.get("/api/nowhere/at/all"), 404, "not_found"),
        (shared.post("/health"), 405, "method_not_allowed"),
        (shared.get("/api/rooms"), 401, "unauthorized"),
        (shared.get("/api/rooms/absent"), 403, "forbidden"),
        (shared.get("/api/chat/x/history?limit=0"), 400, "bad_request"),
    ]:
        assert answer.status_code == status
        assert answer.headers["Content-Type"] == "application/problem+json"
        problem = answer.json()
        assert problem["status"] == status and problem["code"] == code and problem["success"] is False
        assert problem["type"] and problem["title"] and problem["detail"] and problem["retryable"] is False


@pytest.mark.parametrize("path", ["/health", "/nowhere", "/api/chat/x/history?limit=0", "/metrics"])
def test_every_answer_is_hardened(shared, path):
    headers = shared.get(path).headers
    for name, value in SECURITY.items():
        assert headers[name] == value
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy
    assert headers["Date"].endswith(" GMT") and "Server" not in headers


def test_answers_to_malformed_requests_are_hardened_too(wire):
    answer = wire().ask("BAD\r\n\r\n")
    assert answer.status == 400 and answer.headers["connection"] == "close"
    assert all(answer.headers[name.lower()] == value for name, value in SECURITY.items())


def test_pipelined_requests_are_answered_in_order(wire):
    connection = wire()
    paths = ["/health", "/api/chat/x/history?limit=0", "/ready", "/nowhere", "/health"]
    connection.send("".join(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n" for path in paths))
    assert [connection.response().status for _ in paths] == [200, 400, 200, 404, 200]


def test_connections_close_on_request_and_after_http_1_0(wire):
    for request in (
        "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        "GET /health HTTP/1.0\r\n\r\n",
    ):
        connection = wire()
        assert connection.ask(request).headers["connection"] == "close"
        assert connection.expect_end() == b""


# Health, readiness, metrics


def test_health_and_readiness(shared):
    assert shared.get("/health").json() == {"status": "ok", "service": "chat-service"}
    ready = shared.get("/ready")
    assert ready.status_code == 200
    body = ready.json()
    assert body["ready"] is True and body["status"] == "ok"
    assert body["dependencies"]["store"]["state"] == "up" and "since" in body["dependencies"]["store"]


def test_metrics_are_prometheus_text_and_count(shared, make_chat, room):
    def value(name):
        text = shared.get("/metrics")
        assert text.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        found = re.search(rf"^{name} (\S+)$", text.text, re.MULTILINE)
        assert found, f"{name} is not in:\n{text.text[:2000]}"
        return float(found.group(1))

    sessions, messages = value("chat_sessions"), value("chat_messages_total")
    chats = [make_chat(shared, f"user-{n}") for n in range(3)]
    for chat in chats:
        chat.join(room)
    assert value("chat_sessions") == sessions + 3
    chats[0].send(room, "counted")
    for chat in chats:
        chat.expect("new_message")
    assert value("chat_messages_total") == messages + 1
    for chat in chats:
        chat.close()
    eventually(lambda: value("chat_sessions") == sessions, "the sessions are gone")
    text = shared.get("/metrics").text
    assert room not in text and "user-1" not in text, "no label names a user or a room"
    for line in text.splitlines():
        assert re.fullmatch(r"# (HELP|TYPE) [a-z_:]+ .+|[a-z_:]+(\{[^}]*\})? \S+|", line), line


# Origins


ALLOWED, STRANGE = "https://chat.example.com", "https://evil.example.com"


def test_pages_on_the_list_may_read_answers(shared):
    answer = shared.get("/health", headers={"Origin": ALLOWED})
    assert answer.headers["Access-Control-Allow-Origin"] == ALLOWED
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    assert "Origin" in answer.headers["Vary"]
    for origin in (STRANGE, "null", ALLOWED + ":444", "http://chat.example.com", ALLOWED.upper() + "x"):
        answer = shared.get("/health", headers={"Origin": origin})
        assert answer.status_code == 200 and "Access-Control-Allow-Origin" not in answer.headers
        assert "Origin" in answer.headers["Vary"]


def test_preflights(shared):
    asking = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "idempotency-key"}
    allowed = shared.request("OPTIONS", "/api/chat/x/messages", headers={"Origin": ALLOWED} | asking)
    assert allowed.status_code == 204 and allowed.content == b""
    assert allowed.headers["Access-Control-Allow-Origin"] == ALLOWED
    assert "POST" in allowed.headers["Access-Control-Allow-Methods"]
    assert "idempotency-key" in allowed.headers["Access-Control-Allow-Headers"].lower()
    refused = shared.request("OPTIONS", "/api/chat/x/messages", headers={"Origin": STRANGE} | asking)
    assert not [name for name in refused.headers if name.startswith("Access-Control")]


def test_pages_of_refused_origins_change_nothing(shared, room):
    named = {"X-User-Id": "alice"}
    refused = shared.post("/api/rooms", headers=named | {"Origin": STRANGE}, json={"roomId": room})
    assert refused.status_code == 403 and refused.json()["code"] == "forbidden"
    assert shared.post("/api/rooms", headers=named | {"Origin": ALLOWED}, json={"roomId": room}).status_code == 201
    own = shared.url
    assert shared.post("/api/rooms", headers=named | {"Origin": own}, json={"roomId": room + "-own"}).status_code == 201


@pytest.mark.parametrize(
    ("origin", "status"),
    [(ALLOWED, 101), ("http://localhost:3000", 101), (STRANGE, 403), ("null", 403), ("", 101), ("http://127.0.0.1", 101)],
)  # fmt: skip
def test_the_list_of_origins_applies_to_sockets_too(wire, origin, status):
    answer = wire().upgrade("/", Origin=origin)
    assert answer.status == status
    if status == 403:
        assert answer.json()["code"] == "forbidden"


@pytest.mark.parametrize("path", ["/", "/ws"])
@pytest.mark.parametrize(("cors", "strange", "null"), [("*", 101, 101), ("", 403, 403)])
def test_sockets_with_any_origin_and_with_the_default_policy(make_server, path, cors, strange, null):
    server = make_server({"CORS_ORIGIN": cors} if cors else {})
    for origin, status in [(STRANGE, strange), ("null", null), (f"http://127.0.0.1:{server.port}", 101)]:
        with Wire(server.port) as wire:
            assert wire.upgrade(path, Host=f"127.0.0.1:{server.port}", Origin=origin).status == status
    shown = server.get("/health", headers={"Origin": STRANGE}).headers
    assert shown.get("Access-Control-Allow-Origin") == ("*" if cors else None)
    assert "Access-Control-Allow-Credentials" not in shown


# The page


def test_only_files_of_the_page_directory_are_served(make_server, tmp_path):
    pages = tmp_path / "page"
    (pages / "styles").mkdir(parents=True)
    (pages / "index.html").write_text("<!doctype html><title>page</title>")
    (pages / "styles" / "a.css").write_text("body{}")
    (pages / ".secret").write_text("hidden")
    (tmp_path / "outside.txt").write_text("outside")
    sdk = tmp_path / "sdk" / "js"
    (sdk / "room").mkdir(parents=True)
    (sdk / "room" / "room.js").write_text("export {}")
    (sdk.parent / "outside.txt").write_text("outside")
    server = make_server({"SERVE_CLIENT": "true", "CLIENT_DIR": str(pages)})
    index = server.get("/")
    assert index.status_code == 200 and "<title>page</title>" in index.text
    assert index.headers["Content-Type"] == "text/html; charset=utf-8"
    again = server.get("/client/index.html", headers={"If-None-Match": index.headers["ETag"]})
    assert again.status_code == 304
    assert server.get("/client/styles/a.css").headers["Content-Type"].startswith("text/css")
    assert server.get("/client/sdk/room/room.js").headers["Content-Type"].startswith("text/javascript")
    assert server.request("HEAD", "/").headers["Content-Length"] == str(len(index.content))
    for path in ("/", "/client/styles/a.css"):
        refused = server.post(path)
        assert refused.status_code == 405 and refused.headers["Allow"] == "GET, HEAD"
    for path in ("/client/.secret", "/client/../outside.txt", "/client/%2e%2e/outside.txt", "/client/styles/",
                 "/client/..%2foutside.txt", "/client//etc/passwd", "/client/", "/client/sdk/../outside.txt",
                 "/client/sdk/%2e%2e/outside.txt"):  # fmt: skip
        with Wire(server.port) as wire:
            answer = wire.ask(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert answer.status in (400, 404), (path, answer)
            assert b"outside" not in answer.body and b"hidden" not in answer.body


def test_the_page_can_be_switched_off(make_server):
    server = make_server({"SERVE_CLIENT": "false"})
    assert server.get("/").status_code == 404 and server.get("/client/index.html").status_code == 404
