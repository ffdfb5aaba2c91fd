"""The callers that share a limit, and the calls that count."""

import pytest

from support.wire import Wire

KEY = "a-service-key-of-some-length"
SECRET_KEY = {"X-Service-Key": KEY}


def knocks(server, field: str, value: str, count: int = 20) -> list[int]:
    statuses = []
    for _ in range(count):
        with Wire(server.port) as wire:
            statuses.append(wire.upgrade("/", **{field: value}).status)
    return statuses


@pytest.fixture
def proxied(make_server):
    return make_server({"TRUSTED_PROXIES": "127.0.0.1", "RATE_LIMIT_CONNECTIONS": "1"})


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("X_Forwarded_For", ["1.2.3.4:1000", "1.2.3.4:1001", '"1.2.3.4"', "9.9.9.9, 1.2.3.4"]),
        ("X_Forwarded_For", ["[2001:db8::1]:80", "2001:db8::2", '"[2001:db8:0:0:1::]"', "2001:db8::ffff"]),
        ("Forwarded", ["for=1.2.3.4:1000", "For=1.2.3.4;proto=https", 'for="1.2.3.4:5"', "for=9.9.9.9, for=1.2.3.4"]),
        ("Forwarded", ['for="[2001:db8::1]:80"', 'for="[2001:db8::2]"', 'for="[2001:db8::3]";by=x', 'for="[2001:db8::4]"']),
    ],
)
def test_behind_a_proxy_one_client_is_one_however_it_is_written(proxied, field, values):
    statuses = [status for value in values for status in knocks(proxied, field, value, 5)]
    assert statuses.count(429) >= 10 - 4, "a burst of four for all twenty, and what a slow machine lets grow again"
    assert knocks(proxied, field, values[0].replace("1.2.3.4", "1.2.3.5").replace("2001:db8", "2001:db9"), 1) == [101]


def test_guesses_of_the_service_key(make_server):
    server = make_server({"SERVICE_API_KEY": KEY})
    body = {"recipientIds": ["x"], "message": "m"}
    assert server.post("/internal/messages", headers=SECRET_KEY, json=body).status_code == 200
    statuses = [
        server.post("/internal/messages", headers={"X-Service-Key": f"guess-{n}"}, json=body).status_code
        for n in range(200)
    ]
    assert statuses[:10] == [401] * 10 and 429 in statuses
    refused = next(
        answer
        for answer in (server.post("/internal/messages", headers={"X-Service-Key": "x"}, json=body) for _ in range(200))
        if answer.status_code == 429
    )
    assert int(refused.headers["Retry-After"]) >= 1


def test_rooms_made_by_joining(make_server, make_chat):
    chat = make_chat(make_server({"RATE_LIMIT_MESSAGES": "20"}), "maker")
    ids = [chat.emit_with_id("join_room", {"roomId": f"made-{number}"}) for number in range(150)]
    replies = [chat.reply(id) for id in ids]
    assert all(reply["success"] for reply in replies[:60]), "a burst"
    refused = [reply["error"] for reply in replies if not reply["success"]]
    assert refused and {error["code"] for error in refused} == {"rate_limited"}
    assert all(error["retryable"] and error["retryAfterMs"] > 0 for error in refused)
    assert chat.request("join_room", {"roomId": "made-0"})["success"], "a room that is there may be joined"


def test_typing_on_and_off(make_server, make_chat):
    server = make_server({"RATE_LIMIT_MESSAGES": "20"})
    ann, ben = make_chat(server, "ann"), make_chat(server, "ben")
    ann.join("toggles")
    ben.join("toggles")
    ids = [
        ann.emit_with_id("typing", {"roomId": "toggles", "isTyping": is_typing})
        for _ in range(130)
        for is_typing in (True, False)
    ]
    assert all(ann.reply(id)["success"] for id in ids), "it is no error"
    ann.send("toggles", "the end")
    ben.expect("new_message")
    begun = [typing for typing in ben.events("user_typing") if typing["isTyping"]]
    assert 20 <= len(begun) < 130, "a burst, then the rate"


@pytest.mark.parametrize(
    "name", ["get_all_users", "get_online_users", "get_all_online_users", "get_detailed_online_users"]
)
def test_lists_over_a_socket(make_server, make_chat, name):
    chat = make_chat(make_server({"RATE_LIMIT_MESSAGES": "20"}), "lister")
    ids = [chat.emit_with_id(name) for _ in range(250)]
    replies = [chat.reply(id) for id in ids]
    refused = [reply["error"]["code"] for reply in replies if isinstance(reply, dict) and "error" in reply]
    assert set(refused) == {"rate_limited"} and len(refused) <= 190


@pytest.mark.parametrize(
    ("request_line", "taken"), [("POST /api/rooms", 201), ("GET /api/rooms", 200), ("GET /api/online-users", 200)]
)
def test_calls_that_change_or_list(make_server, request_line, taken):
    server = make_server({"RATE_LIMIT_MESSAGES": "2"})
    with Wire(server.port, timeout=30) as wire:
        head = f"{request_line} HTTP/1.1\r\nHost: localhost\r\nX-User-Id: ann\r\n"
        body = "Content-Length: 2\r\n\r\n{}" if request_line.startswith("POST") else "\r\n"
        wire.send((head + body) * 60)
        answers = [wire.response() for _ in range(60)]
        assert {answer.status for answer in answers[:6]} == {taken}, "a burst"
        refused = [answer for answer in answers if answer.status == 429]
        assert refused and int(refused[0].headers["retry-after"]) >= 1
        wire.send("GET /api/chat/x/history HTTP/1.1\r\nHost: localhost\r\nX-User-Id: ann\r\n\r\n")
        assert wire.response().status != 429, "reading is not counted"
