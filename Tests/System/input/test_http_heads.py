"""Request heads and bodies that are malformed, ambiguous or too long: each its status, then the end."""

import socket

import pytest

from support.wire import Wire

HOST = "Host: localhost\r\n"
MALFORMED = {
    "no request line at all": ("GARBAGE\r\n\r\n", 400),
    "binary": ("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    "two words": (f"GET /health\r\n{HOST}\r\n", 400),
    "four words": (f"GET /health HTTP/1.1 x\r\n{HOST}\r\n", 400),
    "two blanks": (f"GET  /health HTTP/1.1\r\n{HOST}\r\n", 400),
    "a tab": (f"GET\t/health HTTP/1.1\r\n{HOST}\r\n", 400),
    "a method that is no token": (f"G@T /health HTTP/1.1\r\n{HOST}\r\n", 400),
    "a relative target": (f"GET health HTTP/1.1\r\n{HOST}\r\n", 400),
    "an empty target": (f"GET  HTTP/1.1\r\n{HOST}\r\n", 400),
    "a fragment": (f"GET /health#x HTTP/1.1\r\n{HOST}\r\n", 400),
    "a control character": (f"GET /hea\x01lth HTTP/1.1\r\n{HOST}\r\n", 400),
    "a byte above ASCII": (f"GET /h\xe4 HTTP/1.1\r\n{HOST}\r\n", 400),
    "a tunnel": (f"CONNECT example.com:443 HTTP/1.1\r\n{HOST}\r\n", 400),
    "an asterisk": (f"GET * HTTP/1.1\r\n{HOST}\r\n", 400),
    "HTTP/2's preface": ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "HTTP/2": (f"GET /health HTTP/2.0\r\n{HOST}\r\n", 505),
    "HTTP/0.9": (f"GET /health HTTP/0.9\r\n{HOST}\r\n", 505),
    "a version in small letters": (f"GET /health http/1.1\r\n{HOST}\r\n", 400),
    "a version with more digits": (f"GET /health HTTP/1.10\r\n{HOST}\r\n", 400),
    "bare LF after the request line": (f"GET /health HTTP/1.1\n{HOST}\r\n", 400),
    "bare LF after a field": ("GET /health HTTP/1.1\r\nHost: localhost\n\r\n", 400),
    "bare LF at the end": (f"GET /health HTTP/1.1\r\n{HOST}\n", 400),
    "bare CR in a value": ("GET /health HTTP/1.1\r\nHost: localhost\ry\r\n\r\n", 400),
    "a folded field": (f"GET /health HTTP/1.1\r\n{HOST}X-A: b\r\n c\r\n\r\n", 400),
    "a folded first field": (f"GET /health HTTP/1.1\r\n {HOST}\r\n", 400),
    "a field without a colon": (f"GET /health HTTP/1.1\r\n{HOST}Nothing\r\n\r\n", 400),
    "a blank before the colon": ("GET /health HTTP/1.1\r\nHost : x\r\n\r\n", 400),
    "an empty field name": (f"GET /health HTTP/1.1\r\n{HOST}: x\r\n\r\n", 400),
    "a field name that is no token": (f"GET /health HTTP/1.1\r\n{HOST}X(a): b\r\n\r\n", 400),
    "NUL in a value": (f"GET /health HTTP/1.1\r\n{HOST}X-A: a\x00b\r\n\r\n", 400),
    "a control character in a value": (f"GET /health HTTP/1.1\r\n{HOST}X-A: a\x07b\r\n\r\n", 400),
    "no Host": ("GET /health HTTP/1.1\r\n\r\n", 400),
    "two Hosts": (f"GET /health HTTP/1.1\r\n{HOST}{HOST}\r\n", 400),
    "a Host that is none": ("GET /health HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
    "two empty lines in front": (f"\r\n\r\nGET /health HTTP/1.1\r\n{HOST}\r\n", 400),
    "an unknown expectation": (f"GET /health HTTP/1.1\r\n{HOST}Expect: miracles\r\n\r\n", 417),
    "too many fields": (f"GET /health HTTP/1.1\r\n{HOST}" + "".join(f"X-{n}: y\r\n" for n in range(128)) + "\r\n", 431),
    "a long URL": (f"GET /{'x' * 16384} HTTP/1.1\r\n{HOST}\r\n", 431),
    "a long field": (f"GET /health HTTP/1.1\r\n{HOST}X: {'y' * 16384}\r\n\r\n", 431),
    "a head without an end": ("GET / HTTP/1.1\r\n" + "X: y\r\n" * 4000, 431),
    "a line without an end": ("G" * 40000, 431),
}  # fmt: skip

POST = f"POST /api/chat/x/messages HTTP/1.1\r\n{HOST}X-User-Id: a\r\n"
CHUNKED = POST + "Transfer-Encoding: chunked\r\n\r\n"
BODIES = {
    "both lengths": (POST + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "both lengths, turned round": (POST + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400),
    "two equal lengths": (POST + "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 400),
    "two unequal lengths": (POST + "Content-Length: 2\r\nContent-Length: 4\r\n\r\n{}", 400),
    "a list of lengths": (POST + "Content-Length: 2, 2\r\n\r\n{}", 400),
    "a signed length": (POST + "Content-Length: +2\r\n\r\n{}", 400),
    "a negative length": (POST + "Content-Length: -2\r\n\r\n", 400),
    "a hexadecimal length": (POST + "Content-Length: 0x2\r\n\r\n{}", 400),
    "an empty length": (POST + "Content-Length:\r\n\r\n", 400),
    "a length past all numbers": (POST + "Content-Length: 99999999999999999999\r\n\r\n", 400),
    "a length past the limit": (POST + "Content-Length: 131073\r\n\r\n", 413),
    "another coding": (POST + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400),
    "a coding hidden by a blank": (POST + "Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n", 400),
    "chunked twice": (POST + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400),
    "chunked in two fields": (POST + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "chunked in HTTP/1.0": (CHUNKED.replace("HTTP/1.1", "HTTP/1.0") + "0\r\n\r\n", 400),
    "a chunk size that is no number": (CHUNKED + "zz\r\n", 400),
    "an empty chunk size": (CHUNKED + "\r\n", 400),
    "a signed chunk size": (CHUNKED + "+2\r\n{}\r\n0\r\n\r\n", 400),
    "a prefixed chunk size": (CHUNKED + "0x2\r\n{}\r\n0\r\n\r\n", 400),
    "a blank before the chunk size": (CHUNKED + " 2\r\n{}\r\n0\r\n\r\n", 400),
    "a chunk size past all numbers": (CHUNKED + "fffffffffffffffff\r\n", 400),
    "a chunk past the limit": (CHUNKED + "20001\r\n", 413),
    "chunks past the limit": (CHUNKED + ("8000\r\n" + "x" * 32768 + "\r\n") * 4 + "1\r\n", 413),
    "a chunk longer than its size": (CHUNKED + "2\r\n{}x\r\n", 400),
    "bare LF after a chunk size": (CHUNKED + "2\n{}\r\n0\r\n\r\n", 400),
    "bare LF after a chunk": (CHUNKED + "2\r\n{}\n0\r\n\r\n", 400),
    "a control character in an extension": (CHUNKED + "2;a=\x01\r\n", 400),
    "an endless extension": (CHUNKED + "2;" + "a" * 1000, 400),
    "a trailer that is no field": (CHUNKED + "0\r\nnothing\r\n\r\n", 400),
    "endless trailers": (CHUNKED + "0\r\n" + "X: y\r\n" * 1000, 431),
}  # fmt: skip
ALL = MALFORMED | BODIES
SMUGGLED = f"GET /metrics HTTP/1.1\r\n{HOST}\r\n"


@pytest.mark.parametrize("name", ALL)
def test_each_is_refused_and_ends_the_connection(wire, name):
    text, status = ALL[name]
    connection = wire()
    answer = connection.ask(text)
    assert answer.status == status, answer
    assert answer.headers["connection"] == "close"
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status and problem["success"] is False and problem["detail"]
    assert connection.expect_end() == b""


@pytest.mark.parametrize("name", [name for name, (_, status) in ALL.items() if status in (400, 413)])
def test_nothing_behind_it_is_answered(wire, name):
    connection = wire()
    connection.send(ALL[name][0] + "\r\n" + SMUGGLED * 2)
    assert connection.response().status == ALL[name][1]
    assert b"HTTP/1.1" not in connection.expect_end()


@pytest.mark.parametrize("name", MALFORMED)
def test_byte_by_byte_it_is_refused_alike(wire, name):
    text, status = MALFORMED[name]
    connection = wire()
    data = text.encode("latin-1")
    pieces = [data[n : n + 1] for n in range(64)] + [data[64:]]
    try:
        for piece in pieces:
            connection.send(piece)
    except (BrokenPipeError, ConnectionResetError):
        pass
    assert connection.response().status == status


@pytest.mark.parametrize(
    "text",
    ["", "G", "GET /health HTTP/1.1\r\nHost: localhost\r\n", POST + 'Content-Length: 50\r\n\r\n{"mess', CHUNKED + "5\r\n{"],
)
def test_a_broken_off_request_leaves_nothing(wire, text):
    connection = wire()
    connection.send(text)
    connection.socket.shutdown(socket.SHUT_WR)
    rest = connection.expect_end()
    assert rest == b"" or rest.startswith((b"HTTP/1.1 400", b"HTTP/1.1 408")), rest


def test_a_client_that_ends_its_side_still_gets_the_answer(wire):
    connection = wire()
    connection.send(f"GET /ready HTTP/1.1\r\n{HOST}\r\n")
    connection.socket.shutdown(socket.SHUT_WR)
    assert connection.response().status == 200
    assert connection.expect_end() == b""


def test_five_hundred_of_them_leave_nothing(shared):
    for number in range(500):
        text, status = list(ALL.values())[number % len(ALL)]
        with Wire(shared.port) as connection:
            if number % 2:
                assert connection.ask(text).status == status
            else:
                connection.send(text[: number % 50 + 1])
