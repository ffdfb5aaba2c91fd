"""RFC 6455 against an echo on the service's engine: framing, fragmentation, control frames, UTF-8, closing."""

import random

import pytest

from support.conformance import LIMIT
from support.wire import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Wire, close_frame, frame

SIZES = [0, 1, 125, 126, 127, 128, 65535, 65536, 65537, 1 << 20, LIMIT - 1, LIMIT]


def send_bytes(wire: Wire, data: bytes, chop: int | None = None) -> None:
    """Sends bytes at once, or in pieces of so many."""
    for start in range(0, len(data), chop or len(data) or 1):
        wire.send(data[start : start + (chop or len(data))])


def expect_message(wire: Wire, opcode: int, payload: bytes) -> None:
    """The next message, put together, is this one."""
    got = wire.frame()
    assert got.opcode == opcode and got.rsv == 0
    parts = [got.payload]
    while not got.fin:
        got = wire.frame()
        assert got.opcode == CONTINUATION
        parts.append(got.payload)
    assert b"".join(parts) == payload


def text_of(size: int) -> bytes:
    return ("*" * size).encode()


# Sizes


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("opcode", [TEXT, BINARY], ids=["text", "binary"])
def test_messages_of_every_size_come_back(echo, opcode, size):
    payload = text_of(size) if opcode == TEXT else random.Random(size).randbytes(size)
    wire = echo.open()
    send_bytes(wire, frame(opcode, payload, mask=b"\xff\x00\x7f\x80"))
    expect_message(wire, opcode, payload)
    send_bytes(wire, frame(TEXT, b"and again"))
    expect_message(wire, TEXT, b"and again")


@pytest.mark.parametrize("chop", [1, 2, 3, 7, 13, 997])
@pytest.mark.parametrize("size", [0, 1, 125, 126, 1000, 70_000])
def test_messages_in_pieces_of_any_size(echo, chop, size):
    if size // chop > 5000:
        size = 5000 * chop
    wire = echo.open()
    send_bytes(wire, frame(BINARY, bytes(n % 251 for n in range(size))), chop)
    expect_message(wire, BINARY, bytes(n % 251 for n in range(size)))


def test_many_small_messages_in_one_write(echo):
    wire = echo.open()
    send_bytes(wire, b"".join(frame(TEXT, f"message {n}".encode()) for n in range(2000)))
    for n in range(2000):
        expect_message(wire, TEXT, f"message {n}".encode())


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_one_byte_past_the_limit(echo, opcode):
    wire = echo.open()
    send_bytes(wire, frame(opcode, text_of(LIMIT + 1))[:100])
    assert wire.close_code() == 1009


def test_fragments_past_the_limit(echo):
    wire = echo.open()
    send_bytes(wire, frame(BINARY, bytes(LIMIT - 1), fin=False) + frame(CONTINUATION, b"x", fin=False))
    send_bytes(wire, frame(CONTINUATION, b"y"))
    assert wire.close_code() == 1009


@pytest.mark.parametrize("mask", [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x80\x01\x00\xfe"])
def test_any_masking_key(echo, mask):
    wire = echo.open()
    for size in range(70):
        send_bytes(wire, frame(BINARY, bytes(range(size)), mask=mask))
        expect_message(wire, BINARY, bytes(range(size)))


# Fragmentation


@pytest.mark.parametrize("pieces", [2, 3, 10, 1000])
@pytest.mark.parametrize("opcode", [TEXT, BINARY], ids=["text", "binary"])
@pytest.mark.parametrize("chop", [None, 1], ids=["whole", "bytewise"])
def test_fragments_with_pings_between_them(echo, opcode, pieces, chop):
    wire = echo.open()
    parts = [f"part {n} ü ".encode() for n in range(pieces)]
    for n, part in enumerate(parts):
        data = frame(opcode if n == 0 else CONTINUATION, part, fin=n == pieces - 1)
        send_bytes(wire, frame(PING, f"ping {n}".encode()) + data, chop)
    for n in range(pieces):
        got = wire.frame()
        assert got.opcode == PONG and got.payload == f"ping {n}".encode(), "a ping is answered before the message ends"
    expect_message(wire, opcode, b"".join(parts))


def test_empty_fragments_at_every_place(echo):
    wire = echo.open()
    for parts in ([b"", b"", b""], [b"", b"middle", b""], [b"first", b"", b""], [b"", b"", b"last"]):
        frames = [frame(TEXT if n == 0 else CONTINUATION, part, fin=n == 2) for n, part in enumerate(parts)]
        send_bytes(wire, b"".join(frames))
        expect_message(wire, TEXT, b"".join(parts))


# Pings and pongs


@pytest.mark.parametrize("payload", [b"", b"Hello", bytes([0, 255, 254, 253, 252, 251, 0, 255]), b"\xfe" * 125])
@pytest.mark.parametrize("chop", [None, 1])
def test_a_ping_comes_back_as_a_pong(echo, payload, chop):
    wire = echo.open()
    send_bytes(wire, frame(PING, payload), chop)
    got = wire.frame()
    assert (got.opcode, got.payload, got.fin) == (PONG, payload, True)


def test_unrequested_pongs_are_ignored(echo):
    wire = echo.open()
    send_bytes(wire, frame(PONG) + frame(PONG, b"unasked") + frame(PING, b"asked"))
    assert wire.frame().payload == b"asked"


def test_ten_pings_get_ten_pongs_in_order(echo):
    wire = echo.open()
    send_bytes(wire, b"".join(frame(PING, b"%d" % n) for n in range(10)))
    assert [wire.frame().payload for _ in range(10)] == [b"%d" % n for n in range(10)]


# UTF-8

VALID = [
    "", "Hello-µ@ßöäüàá-UTF-8!!", "κόσμε", "\x00", "\x7f", "\u0080", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\ufffd",
    "\uffff", "\ufeff", "\U00010000", "\U0001ffff", "\U0010ffff", "\u2028\u2029", "👩‍👩‍👧‍👦" * 50, "日本語" * 1000,
]  # fmt: skip
INVALID = [
    b"\x80", b"\xbf", b"\xc0\x80", b"\xc1\xbf", b"\xc3\x28", b"\xe0\x80\x80", b"\xe0\x9f\xbf", b"\xe2\x28\xa1",
    b"\xe2\x82\x28", b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xed\xa0\x80\xed\xb0\x80", b"\xf0\x80\x80\x80",
    b"\xf0\x8f\xbf\xbf", b"\xf0\x28\x8c\xbc", b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xf8\x88\x80\x80\x80",
    b"\xfc\x84\x80\x80\x80\x80", b"\xfe", b"\xff", b"\xfe\xfe\xff\xff", b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80",
]  # fmt: skip
CUT_OFF = [b"\xc2", b"\xe0\xa0", b"\xe2\x82", b"\xf0\x90\x80", b"\xf4\x8f\xbf", b"ok\xce"]


@pytest.mark.parametrize("text", VALID, ids=lambda text: ascii(text)[:30])
def test_every_text_comes_back_however_it_is_cut(echo, text):
    data = text.encode()
    wire = echo.open()
    send_bytes(wire, frame(TEXT, data))
    expect_message(wire, TEXT, data)
    for cut in range(min(len(data), 12) + 1):
        send_bytes(wire, frame(TEXT, data[:cut], fin=False) + frame(CONTINUATION, data[cut:]))
        expect_message(wire, TEXT, data)
    if len(data) < 100:
        send_bytes(wire, frame(TEXT, data), 1)
        expect_message(wire, TEXT, data)


@pytest.mark.parametrize("bad", INVALID + CUT_OFF, ids=lambda bad: bad.hex())
def test_no_bad_text_comes_back(echo, bad):
    for data in (frame(TEXT, bad), frame(TEXT, b"a" * 100_000 + bad), frame(TEXT, bad[:1], fin=False) + frame(CONTINUATION, bad[1:])):
        wire = echo.open()
        send_bytes(wire, data)
        assert wire.close_code() == 1007
    wire = echo.open()
    send_bytes(wire, frame(BINARY, bad))
    expect_message(wire, BINARY, bad)


@pytest.mark.parametrize("bad", INVALID, ids=lambda bad: bad.hex())
def test_bad_text_fails_before_its_message_ends(echo, bad):
    """In a fragment that is not the last, and within a frame of which the rest is not sent."""
    wire = echo.open()
    send_bytes(wire, frame(TEXT, "κόσμε".encode() + bad, fin=False))
    assert wire.close_code() == 1007
    wire = echo.open()
    send_bytes(wire, frame(TEXT, bad + b"x" * 1000)[:-500])
    assert wire.close_code() == 1007


# Closing


@pytest.mark.parametrize("code", [None, 1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999])
def test_codes_that_may_travel_are_echoed(echo, code):
    wire = echo.open()
    send_bytes(wire, close_frame(code, "ümlaut".encode() if code else b""))
    got = wire.frame()
    assert got.opcode == CLOSE and got.close_code == code
    assert wire.expect_end() == b""


@pytest.mark.parametrize("code", [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535])
def test_codes_that_may_not_travel(echo, code):
    wire = echo.open()
    send_bytes(wire, close_frame(code))
    assert wire.close_code() == 1002


def test_the_longest_reason_and_a_longer_one(echo):
    wire = echo.open()
    send_bytes(wire, close_frame(1000, b"r" * 123))
    assert wire.frame().close_code == 1000
    wire = echo.open()
    send_bytes(wire, close_frame(1000, b"r" * 124))
    assert wire.close_code() == 1002


def test_nothing_is_answered_after_a_close(echo):
    wire = echo.open()
    send_bytes(wire, close_frame(1000) + frame(PING, b"late") + frame(TEXT, b"late"))
    assert wire.frame().opcode == CLOSE
    assert wire.expect_end() == b""


def test_a_close_amid_fragments_is_answered(echo):
    wire = echo.open()
    send_bytes(wire, frame(TEXT, b"never ", fin=False) + close_frame(1001))
    assert wire.frame().close_code == 1001


def test_a_message_before_a_close_still_comes_back(echo):
    wire = echo.open()
    send_bytes(wire, frame(TEXT, b"x" * 300_000) + close_frame(1000))
    expect_message(wire, TEXT, b"x" * 300_000)
    assert wire.frame().close_code == 1000


# What may not be


@pytest.mark.parametrize("rsv", range(1, 8))
@pytest.mark.parametrize("opcode", [TEXT, BINARY, PING, PONG, CLOSE])
def test_reserved_bits(echo, rsv, opcode):
    wire = echo.open()
    send_bytes(wire, frame(TEXT, b"first") + frame(opcode, b"", rsv=rsv) + frame(PING))
    expect_message(wire, TEXT, b"first")
    assert wire.close_code() == 1002


@pytest.mark.parametrize("opcode", [3, 4, 5, 6, 7, 11, 12, 13, 14, 15])
@pytest.mark.parametrize("chop", [None, 1])
def test_reserved_opcodes(echo, opcode, chop):
    wire = echo.open()
    send_bytes(wire, frame(TEXT, b"first"))
    expect_message(wire, TEXT, b"first")
    send_bytes(wire, frame(opcode, b"payload")[: 2 if chop else None], chop)
    assert wire.close_code() == 1002
