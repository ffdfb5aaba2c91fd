"""Names and origins: which names the server is called by are believed, which pages may read its answers."""

import pytest

from support.wire import Wire, upgrade_request

ALLOWED = "https://chat.example"
ENVIRONMENT = {
    "CORS_ORIGIN": f"{ALLOWED}, capacitor://localhost, file://, http://mine.example:5004",
    "MAX_FRAME_BYTES": "20000",
    "RATE_LIMIT_CONNECTIONS": "2000",
}


def get(wire: Wire, path: str = "/api/rooms?userId=alice", **headers: str):
    fields = {"Host": "127.0.0.1", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return wire.ask("\r\n".join([f"GET {path} HTTP/1.1", *(f"{k}: {v}" for k, v in fields.items() if v), "", ""]))


REBOUND = ["evil.example", "evil.example:5004", "localhost.evil.example", "10.0.0.1:5004"]


@pytest.mark.parametrize("host", REBOUND)
def test_a_name_that_a_page_pointed_at_loopback(wire, host):
    for path in ("/api/rooms?userId=alice", "/", "/health", "/socket.io/?EIO=4&transport=polling"):
        answer = get(wire(), path, Host=host)
        assert (answer.status, answer.json()["code"]) == (403, "forbidden"), path
        assert "CORS_ORIGIN" in answer.json()["detail"]
    for path in ("/", "/ws", "/socket.io/?EIO=4&transport=websocket"):
        assert wire().upgrade(path, Host=host, Origin=f"http://{host}").status == 403


@pytest.mark.parametrize("host", ["localhost:5004", "chat.localhost", "127.0.0.2:1", "[::1]:5004", "mine.example:5004"])
def test_names_of_this_machine_and_of_listed_origins(wire, host):
    assert get(wire(), Host=host).status == 200
    assert wire().upgrade("/", Host=host).status == 101


def test_a_listed_page_may_call_it_as_it_likes(wire):
    assert get(wire(), Host="other.example", Origin=ALLOWED).status == 200


def test_without_trust_names_do_not_matter(make_server):
    server = make_server({"JWT_SECRET": "k" * 32, "HOST": "127.0.0.1"})
    with Wire(server.port) as wire:
        assert get(wire, "/health", Host="evil.example").status == 200


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        # As iOS clients write them.
        ("localhost:443", "wss://localhost", 101),
        ("localhost", "https://localhost:443", 101),
        ("localhost:80", "ws://localhost", 101),
        ("localhost:443", "http://localhost", 403),
        ("localhost", "capacitor://localhost", 101),
        ("localhost", "file://", 101),
        ("localhost", "ionic://localhost", 403),
        ("localhost", "null", 403),
        ("localhost", f"{ALLOWED}:443", 101),
    ],
)
def test_origins_compare_by_scheme_host_and_port(wire, host, origin, status):
    for path in ("/", "/socket.io/?EIO=4&transport=websocket"):
        assert wire().upgrade(path, Host=host, Origin=origin).status == status


def test_a_preflight_reflects_what_it_asks_for(wire):
    answer = wire().ask(
        f"OPTIONS /api/rooms HTTP/1.1\r\nHost: localhost\r\nOrigin: {ALLOWED}\r\n"
        "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: baggage,sentry-trace\r\n\r\n"
    )
    assert answer.headers["access-control-allow-headers"] == "baggage,sentry-trace"


HEAD = f"POST /api/chat/x/messages?userId=a HTTP/1.1\r\nHost: localhost\r\nOrigin: {ALLOWED}\r\n"
REFUSALS = {
    "an announced body over the limit": (HEAD + "Content-Length: 20001\r\n\r\n", 413),
    "a body that grows over the limit": (HEAD + "Transfer-Encoding: chunked\r\n\r\nFFFF\r\n", 413),
    "a head over the limit": (HEAD + "Cookie: " + "a" * 17_000, 431),
    "two lengths": (HEAD + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
    "a body without end": (HEAD + "Transfer-Encoding: chunked\r\n\r\nX\r\n", 400),
    "a bad upgrade": (upgrade_request("/", Origin=ALLOWED, Sec_WebSocket_Version="8"), 426),
    "a missing path": (f"GET /nothing HTTP/1.1\r\nHost: localhost\r\nOrigin: {ALLOWED}\r\n\r\n", 404),
    "no name": (f"POST /api/rooms HTTP/1.1\r\nHost: localhost\r\nOrigin: {ALLOWED}\r\nContent-Length: 0\r\n\r\n", 400),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_an_allowed_page_may_read_why_it_was_refused(wire, name):
    request, status = REFUSALS[name]
    answer = wire().ask(request)
    assert answer.status == status
    assert answer.headers["access-control-allow-origin"] == ALLOWED
    raw = request.encode() if isinstance(request, str) else request
    stranger = wire().ask(raw.replace(ALLOWED.encode(), b"https://evil.example"))
    assert "access-control-allow-origin" not in stranger.headers


def test_so_may_one_that_comes_too_often(make_server):
    server = make_server({"CORS_ORIGIN": ALLOWED, "RATE_LIMIT_CONNECTIONS": "1"})

    def answer():
        with Wire(server.port) as wire:
            return get(wire, "/health", Origin=ALLOWED)

    refused = next(a for a in (answer() for _ in range(100)) if a.status == 429)
    assert refused.headers["access-control-allow-origin"] == ALLOWED


@pytest.mark.parametrize("path", ["/", "/ws", "/socket.io/?EIO=4&transport=websocket"])
@pytest.mark.parametrize(
    ("offer", "chosen"), [("bearer, abc", "bearer"), ("v1, v2", "v1"), ("v1, bearer, abc", "bearer"), ("", None)]
)
def test_an_offer_of_sub_protocols_is_answered(wire, path, offer, chosen):
    answer = wire().upgrade(path, Sec_WebSocket_Protocol=offer)
    assert answer.status == 101 and answer.headers.get("sec-websocket-protocol") == chosen
