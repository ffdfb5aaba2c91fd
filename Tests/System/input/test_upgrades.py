"""Requests for a WebSocket that are wrong, each with its status, and what a good one is answered."""

import pytest

from support.wire import upgrade_request

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
WRONG = {
    "no key": (upgrade_request(Sec_WebSocket_Key=""), 400),
    "a short key": (upgrade_request(Sec_WebSocket_Key="c2hvcnQ="), 400),
    "a long key": (upgrade_request(Sec_WebSocket_Key="bG9uZ2VyIHRoYW4gc2l4dGVlbiBieXRlcw=="), 400),
    "a key that is no base64": (upgrade_request(Sec_WebSocket_Key="not base64 at all!!!!!!!"), 400),
    "two keys": (upgrade_request(Sec_WebSocket_Key=KEY + "\r\nSec-WebSocket-Key: " + KEY), 400),
    "no version": (upgrade_request(Sec_WebSocket_Version=""), 426),
    "an old version": (upgrade_request(Sec_WebSocket_Version="8"), 426),
    "a new version": (upgrade_request(Sec_WebSocket_Version="14"), 426),
    "two versions": (upgrade_request(Sec_WebSocket_Version="13, 8"), 426),
    "HTTP/1.0": (upgrade_request().replace(b"HTTP/1.1", b"HTTP/1.0"), 400),
    "another method": (upgrade_request().replace(b"GET", b"PUT"), 400),
    "POST": (upgrade_request().replace(b"GET", b"POST"), 400),
    "a body": (upgrade_request(Content_Length="2") + b"{}", 400),
    "a chunked body": (upgrade_request(Transfer_Encoding="chunked") + b"0\r\n\r\n", 400),
    "malformed extensions": (upgrade_request(Sec_WebSocket_Extensions="permessage-deflate; =x"), 400),
    "malformed sub-protocols": (upgrade_request(Sec_WebSocket_Protocol="a b"), 400),
    "a strange path": (upgrade_request("/elsewhere"), 404),
}


@pytest.mark.parametrize("name", WRONG)
def test_each_gets_its_status(wire, name):
    data, status = WRONG[name]
    answer = wire().ask(data)
    assert answer.status == status, answer
    assert answer.json()["status"] == status and answer.json()["success"] is False
    if status == 426:
        assert answer.headers["sec-websocket-version"] == "13"


@pytest.mark.parametrize("name", [name for name, (_, status) in WRONG.items() if status in (400, 426)])
def test_frames_sent_along_are_not_read_as_requests(wire, name):
    connection = wire()
    assert connection.ask(WRONG[name][0] + b"\x81\x85\x00\x00\x00\x00hello").status == WRONG[name][1]
    assert b" 200 " not in connection.expect_end()


@pytest.mark.parametrize("connection_field", ["Upgrade", "keep-alive, Upgrade", "keep-alive,upgrade", "UPGRADE"])
def test_a_good_one_is_answered_as_the_standard_says(wire, connection_field):
    answer = wire().upgrade("/", Connection=connection_field, Sec_WebSocket_Key=KEY, Upgrade="WebSocket")
    assert answer.status == 101
    assert answer.headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert answer.headers["upgrade"].lower() == "websocket" and "upgrade" in answer.headers["connection"].lower()
    assert "sec-websocket-extensions" not in answer.headers and "sec-websocket-protocol" not in answer.headers


def test_an_upgrade_to_an_unknown_protocol_is_a_plain_request(wire):
    answer = wire().ask("GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
    assert answer.status == 200


def test_an_upgrade_may_follow_other_requests_on_a_connection(wire):
    connection = wire()
    connection.send(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n" + upgrade_request() + b"\x89\x80\x00\x00\x00\x00")
    assert connection.response().status == 200
    assert connection.response().status == 101
    assert connection.frame().opcode == 10
