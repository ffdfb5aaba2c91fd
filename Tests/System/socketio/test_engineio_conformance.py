"""Engine.IO v4 as its protocol describes it, against the echo at /engine.io/."""

import time

import pytest
from engineio_wire import Closed, Polling, Socket
from support.deadline import eventually
from support.wire import BINARY, TEXT, Wire, frame

PATH = "/engine.io/"
MAX_PAYLOAD = 1_000_000
# Of the hasty server, in seconds: between heartbeats, and from the handshake to the end of a client that never answers.
PING_INTERVAL, SILENCE = 0.3, 0.5
# What two clocks may differ.
CLOCK = 0.05

ERRORS = {
    0: (400, "Transport unknown"),
    1: (400, "Session ID unknown"),
    2: (400, "Bad handshake method"),
    3: (400, "Bad request"),
    5: (400, "Unsupported protocol version"),
}


@pytest.fixture
def polling(conformance):
    with Polling(conformance, PATH) as session:
        yield session


@pytest.fixture
def socket(conformance):
    with Socket(conformance, PATH) as session:
        yield session


def assert_refused(response, code: int) -> None:
    status, message = ERRORS[code]
    assert response.status == status, response
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {"code": code, "message": message}


class TestHandshake:
    def test_polling_announces_the_session(self, polling):
        assert isinstance(polling.open.pop("sid"), str)
        assert polling.open == {
            "upgrades": ["websocket"],
            "pingInterval": 25_000,
            "pingTimeout": 20_000,
            "maxPayload": MAX_PAYLOAD,
        }

    def test_websocket_announces_the_session_and_no_upgrade(self, socket):
        assert isinstance(socket.open.pop("sid"), str)
        assert socket.open == {"upgrades": [], "pingInterval": 25_000, "pingTimeout": 20_000, "maxPayload": MAX_PAYLOAD}

    def test_session_ids_differ(self, conformance):
        sids = [Polling(conformance, PATH).sid for _ in range(20)]
        assert len(set(sids)) == 20

    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ("EIO=4", 0),
            ("EIO=4&transport=", 0),
            ("EIO=4&transport=abc", 0),
            ("EIO=4&transport=Polling", 0),
            ("transport=polling", 5),
            ("EIO=&transport=polling", 5),
            ("EIO=3&transport=polling", 5),
            ("EIO=5&transport=polling", 5),
            ("EIO=abc&transport=polling", 5),
            ("EIO=4&transport=polling&sid=nobody", 1),
            ("EIO=4&transport=polling&sid=" + "x" * 500, 1),
            ("EIO=4&transport=polling&transport=polling", 3),
            ("EIO=4&transport=websocket", 3),
            ("EIO=4&transport=websocket&sid=nobody", 3),
        ],
    )
    def test_a_bad_get_is_refused_by_its_number(self, conformance, query, code):
        with Wire(conformance) as wire:
            assert_refused(wire.ask(f"GET {PATH}?{query} HTTP/1.1\r\nHost: localhost\r\n\r\n"), code)

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
    def test_a_handshake_is_a_get(self, conformance, method):
        with Wire(conformance) as wire:
            request = f"{method} {PATH}?EIO=4&transport=polling HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
            assert_refused(wire.ask(request), 2)

    @pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
    def test_a_session_takes_get_and_post_only(self, polling, method):
        with Wire(polling.port) as wire:
            request = f"{method} {PATH}?{polling.query} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
            assert_refused(wire.ask(request), 3)

    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ("transport=websocket", 5),
            ("EIO=3&transport=websocket", 5),
            ("EIO=4&transport=abc", 0),
            ("EIO=4", 0),
            ("EIO=4&transport=polling", 3),
            ("EIO=4&transport=websocket&sid=nobody", 1),
        ],
    )
    def test_a_bad_websocket_handshake_is_refused_by_its_number(self, conformance, query, code):
        with Wire(conformance) as wire:
            assert_refused(wire.upgrade(f"{PATH}?{query}"), code)

    def test_a_post_to_an_unknown_session_is_refused(self, conformance):
        with Polling(conformance, PATH, handshake=False) as polling:
            polling.sid = "nobody"
            assert_refused(polling.post("4x"), 1)


class TestPolling:
    def test_one_message_comes_back(self, polling):
        polling.send("4hello")
        assert polling.poll() == ["4hello"]

    def test_messages_of_one_payload_come_back_in_order_and_together(self, polling):
        polling.send("4one", "4two", "4", "4über ü 🙂")
        assert polling.poll() == ["4one", "4two", "4", "4über ü 🙂"]

    def test_a_held_poll_is_answered_when_something_comes(self, polling):
        polling.start_poll()
        polling.send("4late")
        assert polling.finish_poll().body == b"4late"

    def test_binary_travels_as_base64(self, polling):
        response = polling.post_raw(b"4hello\x1ebAQIDBA==")
        assert response.body == b"ok"
        polling.start_poll()
        assert polling.finish_poll().body == b"4hello\x1ebAQIDBA=="

    def test_every_byte_travels_as_base64(self, polling):
        every = bytes(range(256)) * 5
        polling.send(every, b"", "4end")
        assert polling.poll() == [every, b"", "4end"]

    def test_more_packets_than_a_payload_takes_come_in_several(self, polling):
        polling.send(*(f"4{number}" for number in range(100)))
        got = []
        while len(got) < 100:
            packets = polling.poll()
            assert 0 < len(packets) <= 16
            got += [packet for packet in packets if packet != "2"]
        assert got == [f"4{number}" for number in range(100)]

    def test_a_payload_ends_before_it_is_too_large(self, polling):
        large = "4" + "x" * 400_000
        polling.send(large)
        polling.send(large)
        polling.send(large)
        assert [len(packet) for packet in polling.poll()] == [400_001, 400_001]
        assert [len(packet) for packet in polling.poll()] == [400_001]

    @pytest.mark.parametrize(
        "body",
        [b"abc", b"", b"\x1e", b"4ok\x1e", b"4ok\x1eabc", b"7", b"b!!!!", b"bAQ", b"4\xff\xfe", b"0{}", b"2", b"5"],
        ids=repr,
    )
    def test_a_malformed_payload_ends_the_session(self, polling, body):
        assert_refused(polling.post_raw(body), 3)
        polling.assert_gone()

    def test_a_payload_over_the_limit_is_refused(self, polling):
        assert polling.post_raw(b"4" + b"x" * MAX_PAYLOAD).status in (400, 413)

    def test_a_payload_of_the_limit_is_taken(self, polling):
        polling.send("4" + "x" * (MAX_PAYLOAD - 1))
        assert len(polling.poll()[0]) == MAX_PAYLOAD

    def test_a_second_poll_at_once_ends_the_session(self, polling):
        polling.start_poll()
        with Wire(polling.port) as second:
            polling.start_poll(second)
            assert_refused(second.response(), 3)
        assert polling.finish_poll().body == b"1"
        polling.assert_gone()

    def test_a_client_that_drops_its_poll_ends_the_session(self, polling):
        polling.start_poll()
        polling.send("3")
        polling.getting.socket.close()
        request = f"POST {PATH}?{polling.query} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\n6"

        def refusal():
            with Wire(polling.port) as wire:
                response = wire.ask(request)
            return response if response.status == 400 else None

        assert_refused(eventually(refusal, "the session has ended"), 1)


class TestWebSocket:
    def test_text_comes_back(self, socket):
        socket.send("4hello", "4", "4über 🙂")
        socket.expect("4hello", "4", "4über 🙂")

    def test_binary_comes_back_as_binary(self, socket):
        every = bytes(range(256))
        socket.send(every, b"", "4end")
        socket.expect(every, b"", "4end")

    def test_base64_is_binary_too(self, socket):
        socket.send("bAQIDBA==")
        socket.expect(b"\x01\x02\x03\x04")

    def test_a_message_in_fragments_is_one(self, socket):
        socket.wire.send(frame(TEXT, b"4he", fin=False) + frame(0, b"ll", fin=False) + frame(0, b"o"))
        socket.expect("4hello")

    @pytest.mark.parametrize("packet", ["abc", "", "7", "b!!!!", "0{}", "2", "2probe", "5"])
    def test_a_malformed_packet_ends_the_session(self, socket, packet):
        socket.send(packet)
        socket.expect_close()

    def test_a_message_over_the_limit_ends_the_session(self, socket):
        socket.send("4" + "x" * MAX_PAYLOAD)
        assert socket.expect_close() == 1009

    def test_noop_changes_nothing(self, socket):
        socket.send("6", "4after")
        socket.expect("4after")


class TestHeartbeat:
    """Lower bounds are counted from before the handshake: a busy machine makes everything later and nothing earlier."""

    def test_polling_is_pinged_again_and_again(self, pinging):
        begin = time.monotonic()
        with Polling(pinging, PATH) as polling:
            for _ in range(3):
                assert polling.poll() == ["2"]
                polling.send("3")
        assert time.monotonic() - begin >= 3 * PING_INTERVAL - CLOCK

    def test_polling_without_an_answer_ends(self, hasty):
        begin = time.monotonic()
        with Polling(hasty, PATH) as polling:
            assert polling.poll() == ["2"]
            polling.start_poll()
            response = polling.finish_poll()
            assert time.monotonic() - begin >= SILENCE - CLOCK
            assert response.status == 400 or response.body == b"1"
            polling.assert_gone()

    def test_polling_that_is_forgotten_ends(self, hasty):
        with Polling(hasty, PATH) as polling:
            eventually(polling.is_gone, "the session has ended")

    def test_a_websocket_is_pinged_again_and_again(self, pinging):
        with Socket(pinging, PATH) as socket:
            for _ in range(3):
                assert socket.receive() == "2"
                socket.send("3")

    def test_a_websocket_without_an_answer_is_closed(self, hasty):
        begin = time.monotonic()
        with Socket(hasty, PATH) as socket:
            assert socket.receive() == "2"
            socket.expect_close()
        assert time.monotonic() - begin >= SILENCE - CLOCK

    def test_talking_is_no_answer(self, hasty):
        with Socket(hasty, PATH) as socket, pytest.raises((Closed, OSError, EOFError)):
            while True:
                socket.send("4still here")
                assert socket.receive() in ("2", "4still here")


class TestClose:
    def test_a_polling_client_may_leave(self, polling):
        polling.start_poll()
        polling.send("1")
        assert polling.finish_poll().body == b"6"
        polling.assert_gone()

    def test_packets_behind_the_close_are_dropped(self, polling):
        polling.send("4before", "1", "4after")
        polling.assert_gone()

    def test_a_websocket_client_may_leave(self, socket):
        socket.send("1")
        socket.expect_close()

    def test_a_websocket_that_is_gone_takes_its_session_along(self, conformance):
        with Socket(conformance, PATH) as socket:
            sid = socket.sid
            socket.send("4x")
            socket.expect("4x")
        with Polling(conformance, PATH, handshake=False) as polling:
            polling.sid = sid
            eventually(lambda: polling.get_once(polling.query).json()["code"] == 1, "the session has ended")


class TestUpgrade:
    def upgrade(self, polling: Polling) -> Socket:
        """As a client does it: probe, let the held poll come back, upgrade."""
        polling.start_poll()
        socket = Socket(polling.port, PATH, sid=polling.sid)
        socket.probe()
        assert polling.finish_poll().body == b"6"
        socket.send("5")
        return socket

    def test_from_polling_to_a_websocket(self, polling):
        with self.upgrade(polling) as socket:
            socket.send("4hello")
            socket.expect("4hello")

    def test_heartbeats_move_along(self, pinging):
        with Polling(pinging, PATH) as polling, self.upgrade(polling) as socket:
            assert socket.receive() == "2"
            socket.send("3")
            assert socket.receive() == "2"

    def test_nothing_is_lost_or_reordered(self, polling):
        polling.send(*(f"4{number}" for number in range(40)), bytes(range(9)))
        got = polling.poll()
        socket = Socket(polling.port, PATH, sid=polling.sid)
        socket.probe()
        polling.send("4between")
        got += polling.poll()
        socket.send("5", "4after")
        while "4after" not in got:
            packet = socket.receive()
            if packet == "2":
                socket.send("3")
            got.append(packet)
        expected = [f"4{number}" for number in range(40)] + [bytes(range(9)), "4between", "4after"]
        assert [packet for packet in got if packet not in ("2", "6")] == expected
        socket.wire.socket.close()

    def test_requests_on_an_upgraded_session_are_refused(self, polling):
        with self.upgrade(polling) as socket:
            assert_refused(polling.post("4x"), 3)
            assert_refused(polling.get_once(polling.query), 3)
            socket.send("4still here")
            socket.expect("4still here")

    def test_a_second_upgrade_is_closed_and_changes_nothing(self, polling):
        with self.upgrade(polling) as socket:
            with Socket(polling.port, PATH, sid=polling.sid) as second:
                second.expect_close()
            socket.send("4still here")
            socket.expect("4still here")

    def test_a_second_probe_is_closed_and_changes_nothing(self, polling):
        with Socket(polling.port, PATH, sid=polling.sid) as first:
            first.probe()
            with Socket(polling.port, PATH, sid=polling.sid) as second:
                second.expect_close()
            first.send("5", "4still here")
            first.expect("4still here")

    @pytest.mark.parametrize("packet", ["5", "2", "2abc", "4hello", "abc", "", b"2probe"], ids=repr)
    def test_a_websocket_that_does_not_probe_is_closed_and_polling_continues(self, polling, packet):
        with Socket(polling.port, PATH, sid=polling.sid) as socket:
            socket.send(packet)
            socket.expect_close()
        polling.send("4still here")
        polling.expect("4still here")

    def test_a_probe_without_an_upgrade_changes_nothing(self, polling):
        with Socket(polling.port, PATH, sid=polling.sid) as socket:
            socket.probe()
        polling.send("4still here")
        for packet in polling.packets():
            if packet != "6":
                assert packet == "4still here"
                break
        socket = Socket(polling.port, PATH, sid=polling.sid)
        socket.probe()
        socket.send("5", "4upgraded")
        socket.expect("4upgraded")
        socket.wire.socket.close()

    def test_a_websockets_own_session_cannot_be_upgraded(self, socket):
        with Socket(socket.wire.port, PATH, sid=socket.sid) as second:
            second.expect_close()
        socket.send("4still here")
        socket.expect("4still here")

    def test_an_upgrade_in_the_middle_of_a_conversation_keeps_binary(self, polling):
        with self.upgrade(polling) as socket:
            socket.wire.send(frame(BINARY, b"\x00\xff"))
            socket.expect(b"\x00\xff")
