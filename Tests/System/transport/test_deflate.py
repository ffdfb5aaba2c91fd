"""permessage-deflate (RFC 7692): what is agreed on, and messages both ways."""

import os
import zlib

import pytest

from support.conformance import LIMIT
from support.wire import BINARY, CONTINUATION, PING, PONG, TEXT, Wire, frame

OFFER = {"Sec_WebSocket_Extensions": "permessage-deflate"}


def deflated(payload: bytes, level: int = 6, window: int = 15) -> bytes:
    compressor = zlib.compressobj(level, zlib.DEFLATED, -window)
    return (compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]


def inflated(payload: bytes, window: int = 15) -> bytes:
    return zlib.decompressobj(-window).decompress(payload + b"\x00\x00\xff\xff")


def message(wire: Wire, window: int = 15) -> tuple[int, bytes]:
    got = wire.frame()
    assert got.fin and got.rsv in (0, 4)
    return got.opcode, inflated(got.payload, window) if got.rsv else got.payload


def parameters(answer) -> dict[str, str | None]:
    header = answer.headers["sec-websocket-extensions"]
    name, *rest = [part.strip() for part in header.split(";")]
    assert name == "permessage-deflate" and "," not in header
    pairs = [part.partition("=") for part in rest]
    return {key: value or None for key, _, value in pairs}


@pytest.mark.parametrize(
    "offer",
    ["permessage-deflate", "permessage-deflate; client_max_window_bits", "permessage-deflate; client_max_window_bits=10",
     "permessage-deflate; server_no_context_takeover", "permessage-deflate; client_no_context_takeover",
     "permessage-deflate; server_max_window_bits=15", 'permessage-deflate; server_max_window_bits="14"',
     "x-unknown, permessage-deflate", "permessage-deflate; unknown=1, permessage-deflate"],
)  # fmt: skip
def test_offers_that_are_taken(echo, offer):
    with Wire(echo.port) as wire:
        answer = wire.upgrade("/echo", Sec_WebSocket_Extensions=offer)
        assert answer.status == 101
        agreed = parameters(answer)
        assert set(agreed) <= {
            "server_no_context_takeover", "client_no_context_takeover", "server_max_window_bits", "client_max_window_bits"
        }  # fmt: skip
        if "server_no_context_takeover" in offer:
            assert "server_no_context_takeover" in agreed
        if "client_max_window_bits" in agreed:
            assert "client_max_window_bits" in offer, "only a client that offered it may be asked for it"
        text = b"compressible " * 1000
        wire.send(frame(TEXT, deflated(text, window=9), rsv=4))
        assert message(wire) == (TEXT, text)


@pytest.mark.parametrize(
    "offer",
    ["permessage-deflate; unknown", "permessage-deflate; server_max_window_bits=7",
     "permessage-deflate; server_max_window_bits=16", "permessage-deflate; server_max_window_bits",
     "permessage-deflate; client_max_window_bits=07", "permessage-deflate; server_no_context_takeover=1",
     "permessage-deflate; server_no_context_takeover; server_no_context_takeover", "permessage-bzip2", "x-webkit-deflate-frame"],
)  # fmt: skip
def test_offers_that_are_declined(echo, offer):
    with Wire(echo.port) as wire:
        answer = wire.upgrade("/echo", Sec_WebSocket_Extensions=offer)
        assert answer.status == 101 and "sec-websocket-extensions" not in answer.headers
        wire.send(frame(TEXT, b"plain"))
        assert message(wire) == (TEXT, b"plain")
        wire.send(frame(TEXT, deflated(b"x"), rsv=4))
        assert wire.close_code() == 1002


@pytest.mark.parametrize("bits", range(8, 16))
def test_a_window_the_client_asks_for_is_kept(echo, bits):
    with Wire(echo.port) as wire:
        answer = wire.upgrade("/echo", Sec_WebSocket_Extensions=f"permessage-deflate; server_max_window_bits={bits}")
        text = os.urandom(600).hex().encode() * 40
        wire.send(frame(TEXT, text))
        got = wire.frame()
        if "sec-websocket-extensions" not in answer.headers:
            assert got.rsv == 0 and got.payload == text
            return
        assert int(parameters(answer)["server_max_window_bits"]) <= bits
        assert (inflated(got.payload, max(bits, 9)) if got.rsv else got.payload) == text


@pytest.mark.parametrize("size", [0, 1, 16, 125, 126, 1000, 65_535, 65_536, 1 << 20, LIMIT])
@pytest.mark.parametrize("opcode", [TEXT, BINARY], ids=["text", "binary"])
def test_messages_of_every_size(echo, opcode, size):
    payload = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    wire = echo.open(**OFFER)
    wire.send(frame(opcode, deflated(payload), rsv=4))
    assert message(wire) == (opcode, payload)
    wire.send(frame(opcode, payload))
    assert message(wire) == (opcode, payload), "an uncompressed message is as good"


def test_incompressible_messages(echo):
    wire = echo.open(**OFFER)
    for size in (1, 100, 10_000, 1 << 20):
        payload = os.urandom(size)
        wire.send(frame(BINARY, deflated(payload), rsv=4))
        assert message(wire) == (BINARY, payload)


@pytest.mark.parametrize(
    "data",
    ["f248cdc9c90700", "000500faff48656c6c6f00", "f348cdc9c9070000", "f248050000 00ffffcac9c90700"],
    ids=["one block", "stored", "final block", "two blocks"],
)
def test_the_standards_own_examples(echo, data):
    wire = echo.open(**OFFER)
    wire.send(frame(TEXT, bytes.fromhex(data), rsv=4))
    assert message(wire) == (TEXT, b"Hello")


def test_compressed_fragments_with_pings_between_them(echo):
    payload = b"fragmented and compressed " * 5000
    data = deflated(payload)
    wire = echo.open(**OFFER)
    cuts = [data[n : n + 100] for n in range(0, len(data), 100)] + [b""]
    for n, part in enumerate(cuts):
        wire.send(frame(PING, b"%d" % n))
        wire.send(frame(TEXT if n == 0 else CONTINUATION, part, fin=n == len(cuts) - 1, rsv=4 if n == 0 else 0))
    for n in range(len(cuts)):
        got = wire.frame()
        assert got.opcode == PONG and got.payload == b"%d" % n
    assert message(wire) == (TEXT, payload)


def test_each_connection_and_each_message_stands_alone(echo):
    """Several clients compress and send turn and turn about; no client gets another's window."""
    wires = [echo.open(**OFFER) for _ in range(5)]
    for round in range(20):
        for n, wire in enumerate(wires):
            text = f"client {n} round {round} ".encode() * 50
            wire.send(frame(TEXT, deflated(text), rsv=4))
        for n, wire in enumerate(wires):
            assert message(wire)[1] == f"client {n} round {round} ".encode() * 50


@pytest.mark.parametrize(
    ("data", "code"),
    [(frame(TEXT, deflated(bytes(LIMIT + 1)), rsv=4), 1009), (frame(TEXT, b"\xff" * 20, rsv=4), 1007),
     (frame(TEXT, deflated(b"a" * 500 + b"\xff"), rsv=4), 1007), (frame(PING, deflated(b"x"), rsv=4), 1002),
     (frame(TEXT, deflated(b"x" * 1000)[:-2], rsv=4), 1007),
     (frame(TEXT, b"x", fin=False) + frame(CONTINUATION, b"y", rsv=4), 1002), (frame(TEXT, deflated(b"x"), rsv=6), 1002)],
    ids=["too big", "no deflate", "no UTF-8", "a ping", "cut off", "RSV1 on a continuation", "RSV2 too"],
)  # fmt: skip
def test_forbidden_frames(echo, data, code):
    wire = echo.open(**OFFER)
    wire.send(data)
    assert wire.close_code() == code


# In the chat


def test_broadcasts_are_compressed_for_clients_that_agreed_on_it(shared, make_chat):
    room = "squeeze"
    plain = make_chat(shared, "plain", compression=None)
    squeezed = make_chat(shared, "squeezed")
    assert [type(each).__name__ for each in squeezed.socket.protocol.extensions] == ["PerMessageDeflate"]
    assert plain.socket.protocol.extensions == []
    raw = Wire(shared.port)
    raw.open(**OFFER).send(
        frame(TEXT, b'{"event":"authenticate","data":{"userId":"raw"}}')
        + frame(TEXT, deflated(f'{{"event":"join_room","data":{{"roomId":"{room}"}}}}'.encode()), rsv=4)
    )
    for chat in (plain, squeezed):
        chat.join(room)
    while b"squeezed" not in raw.frame().payload:
        pass
    text = "the same words again and again, " * 200
    plain.send(room, text)
    for chat in (plain, squeezed):
        assert chat.expect("new_message")["message"] == text
    got = raw.frame()
    assert got.rsv == 4 and len(got.payload) < len(text) / 10
    assert text.encode() in inflated(got.payload)
    squeezed.send(room, "short")
    got = raw.frame()
    assert got.rsv == 0 and b'"short"' in got.payload, "what is short is not worth it"
    raw.socket.close()
