"""WebSocket frames that break RFC 6455 or a limit: each its close code, then the end of the connection."""

import json
import os
import struct
import zlib

import pytest

from support.process import resident_bytes
from support.wire import (
    BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Wire, close_frame, frame,
)  # fmt: skip

MAX_FRAME = 131_072
DEFLATE = {"Sec_WebSocket_Extensions": "permessage-deflate"}


def deflated(payload: bytes) -> bytes:
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]


def announced(length: int, opcode: int = TEXT) -> bytes:
    """The head of a frame whose payload never comes."""
    return bytes([0x80 | opcode, 0xFF]) + struct.pack("!Q", length) + bytes(4)


VIOLATIONS = {
    "unmasked text": (frame(TEXT, b"{}", mask=None), 1002),
    "unmasked ping": (frame(PING, b"", mask=None), 1002),
    "RSV1 without deflate": (frame(TEXT, b"{}", rsv=4), 1002),
    "RSV2": (frame(TEXT, b"{}", rsv=2), 1002),
    "RSV3": (frame(TEXT, b"{}", rsv=1), 1002),
    **{f"opcode {opcode}": (frame(opcode, b"x"), 1002) for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)},
    "a fragmented ping": (frame(PING, b"x", fin=False), 1002),
    "a fragmented close": (frame(CLOSE, b"", fin=False), 1002),
    "a ping over 125 bytes": (frame(PING, b"x" * 126), 1002),
    "a pong over 125 bytes": (frame(PONG, b"x" * 126), 1002),
    "a close over 125 bytes": (close_frame(1000, b"x" * 124), 1002),
    "a ping with RSV1": (frame(PING, b"x", rsv=4), 1002),
    "a continuation of nothing": (frame(CONTINUATION, b"x"), 1002),
    "a continuation after the end": (frame(TEXT, b"{", fin=False) + frame(CONTINUATION, b"}") + frame(CONTINUATION), 1002),
    "text within text": (frame(TEXT, b"{", fin=False) + frame(TEXT, b"}"), 1002),
    "binary within text": (frame(TEXT, b"{", fin=False) + frame(BINARY, b"}"), 1002),
    "a 16-bit length for 125": (frame(TEXT, b"x" * 125, length_form=16), 1002),
    "a 64-bit length for 65535": (frame(TEXT, b"x" * 65535, length_form=64), 1002),
    "a length with its top bit": (announced(1 << 63), 1002),
    "a close of one byte": (frame(CLOSE, b"\x03"), 1002),
    **{
        f"close code {code}": (close_frame(code), 1002)
        for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)
    },
    "a close reason that is not UTF-8": (close_frame(1000, b"\xff"), 1007),
    "text that is not UTF-8": (frame(TEXT, b'"\xff"'), 1007),
    "an overlong encoding": (frame(TEXT, b'"\xc0\xaf"'), 1007),
    "a surrogate": (frame(TEXT, b'"\xed\xa0\x80"'), 1007),
    "a code point past the last": (frame(TEXT, b'"\xf4\x90\x80\x80"'), 1007),
    "a cut-off code point": (frame(TEXT, b'"\xe2\x82'), 1007),
    "a code point cut off over frames": (frame(TEXT, b'"\xe2\x82', fin=False) + frame(CONTINUATION, b'"'), 1007),
    "bad text before its end came": (frame(TEXT, b'"\xff', fin=False), 1007),
    "a binary frame": (frame(BINARY, b"{}"), 1003),
    "an empty binary frame": (frame(BINARY), 1003),
    "a fragmented binary message": (frame(BINARY, b"a", fin=False) + frame(CONTINUATION, b"b"), 1003),
    "a frame past the limit": (announced(MAX_FRAME + 1), 1009),
    "a frame of 2^62 bytes": (announced(1 << 62), 1009),
    "fragments past the limit": (
        frame(TEXT, b"x" * 65536, fin=False) + frame(CONTINUATION, b"x" * 65536, fin=False) + frame(CONTINUATION, b"x"),
        1009,
    ),
    "a last fragment announced past the limit": (frame(TEXT, b"x", fin=False) + announced(MAX_FRAME, CONTINUATION), 1009),
}  # fmt: skip

COMPRESSED_VIOLATIONS = {
    "inflated past the limit": (frame(TEXT, deflated(b"x" * (MAX_FRAME + 1)), rsv=4), 1009),
    "a bomb": (frame(TEXT, deflated(bytes(100 << 20)), rsv=4), 1009),
    "a bomb in fragments": (
        frame(TEXT, deflated(bytes(100 << 20))[:50000], fin=False, rsv=4)
        + frame(CONTINUATION, deflated(bytes(100 << 20))[50000:]),
        1009,
    ),
    "compressed bytes that are none": (frame(TEXT, b"\xff\xff\xff\xff", rsv=4), 1007),
    "compressed text that is not UTF-8": (frame(TEXT, deflated(b'"\xff"'), rsv=4), 1007),
    "RSV1 on a continuation": (frame(TEXT, b"x", fin=False, rsv=4) + frame(CONTINUATION, b"y", rsv=4), 1002),
    "a compressed ping": (frame(PING, b"x", rsv=4), 1002),
    "compressed binary": (frame(BINARY, deflated(b"x"), rsv=4), 1003),
}


@pytest.mark.parametrize("name", VIOLATIONS)
def test_each_closes_with_its_code(wire, name):
    data, code = VIOLATIONS[name]
    connection = wire().open()
    connection.send(data)
    assert connection.close_code() == code


@pytest.mark.parametrize("name", COMPRESSED_VIOLATIONS)
def test_each_closes_with_its_code_where_deflate_was_agreed_on(wire, name):
    data, code = COMPRESSED_VIOLATIONS[name]
    connection = wire()
    assert "permessage-deflate" in connection.upgrade(**DEFLATE).headers["sec-websocket-extensions"]
    connection.send(data)
    assert connection.close_code() == code


@pytest.mark.parametrize("name", [name for name in VIOLATIONS if len(VIOLATIONS[name][0]) < 1000])
def test_byte_by_byte_it_closes_alike(wire, name):
    data, code = VIOLATIONS[name]
    connection = wire().open()
    for number in range(len(data)):
        try:
            connection.send(data[number : number + 1])
        except (BrokenPipeError, ConnectionResetError):
            break
    assert connection.close_code() == code


def test_nothing_after_a_violation_takes_effect(wire, bystander):
    connection = wire().open()
    connection.send(
        frame(TEXT, b'{"event":"authenticate","data":{"userId":"late"}}')
        + frame(TEXT, b"x", rsv=2)
        + frame(TEXT, b'{"event":"join_room","data":{"roomId":"lobby"}}')
    )
    assert connection.close_code() == 1002
    bystander.settle()
    assert [user for user in bystander.events("user_joined") if user["userId"] == "late"] == []


def test_the_largest_message_is_taken_in_every_form(wire):
    text = json.dumps({"event": "ping", "data": ""}).encode()
    filled = json.dumps({"event": "ping", "data": "x" * (MAX_FRAME - len(text))}).encode()
    assert len(filled) == MAX_FRAME
    connection = wire()
    connection.upgrade(**DEFLATE)
    for data in (
        frame(TEXT, filled),
        frame(TEXT, filled[:100], fin=False) + frame(PING, b"between") + frame(CONTINUATION, filled[100:]),
        frame(TEXT, deflated(filled), rsv=4),
    ):
        connection.send(data)
        answer = connection.frame()
        if answer.opcode == PONG:
            assert answer.payload == b"between"
            answer = connection.frame()
        assert answer.opcode == TEXT and answer.fin


def test_control_frames_come_back_between_and_empty_fragments_count_for_nothing(wire):
    connection = wire().open()
    connection.send(frame(PING) + frame(PONG, b"unasked") + frame(PING, b"p" * 125))
    assert [connection.frame().payload for _ in range(2)] == [b"", b"p" * 125]
    pieces = [frame(TEXT, b"", fin=False), *[frame(CONTINUATION, b"", fin=False)] * 1000]
    connection.send(b"".join(pieces) + frame(CONTINUATION, b'{"event":"ping","data":1}'))
    assert json.loads(connection.frame().payload) == {"event": "pong", "data": 1}


@pytest.mark.parametrize("code", [None, 1000, 1001, 1003, 1011, 3000, 4999])
def test_a_close_is_answered_alike(wire, code):
    connection = wire().open()
    connection.send(close_frame(code, b"bye" if code else b""))
    answer = connection.frame()
    assert answer.opcode == CLOSE and answer.close_code == code
    connection.expect_end()


def test_announced_sizes_reserve_no_memory(shared, wire):
    """A hundred connections announce the largest frame, send little of it and wait."""
    before = resident_bytes(shared.pid)
    for _ in range(100):
        connection = wire().open()
        connection.send(announced(MAX_FRAME) + b"x" * 10)
        connection.send(b"x" * 10)
    assert resident_bytes(shared.pid) - before < 8 << 20


def test_bombs_at_once_cost_little(shared):
    before = resident_bytes(shared.pid)
    bomb = COMPRESSED_VIOLATIONS["a bomb"][0]
    wires = [Wire(shared.port) for _ in range(20)]
    for each in wires:
        each.upgrade(**DEFLATE)
    for each in wires:
        each.send(bomb)
    assert {each.close_code() for each in wires} == {1009}
    for each in wires:
        each.socket.close()
    assert resident_bytes(shared.pid) - before < 24 << 20


def test_noise_after_the_handshake_ends_every_connection(shared):
    """Random bytes are a violation sooner or later, or a frame that never ends; either way nothing stays."""
    for _ in range(200):
        with Wire(shared.port) as connection:
            connection.open()
            try:
                connection.send(os.urandom(400))
            except (BrokenPipeError, ConnectionResetError):
                pass
