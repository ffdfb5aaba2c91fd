"""What no well-behaved Engine.IO or Socket.IO client sends, put to the chat server on two loops."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from engineio_wire import Polling, Socket
from support.deadline import eventually
from support.metrics import metric
from support.process import descriptors, resident_bytes
from support.wire import Wire

PATH = "/socket.io/"
ENVIRONMENT = {"MAX_FRAME_BYTES": "131072", "CORS_ORIGIN": "https://chat.example"}


@pytest.fixture
def polling(shared):
    with Polling(shared.port, PATH) as session:
        yield session


@pytest.fixture
def socket(shared):
    with Socket(shared.port, PATH) as session:
        session.send("40")
        assert session.receive().startswith("40")
        yield session


def get(server, query: str, **headers: str):
    lines = [f"GET {PATH}?{query} HTTP/1.1", "Host: 127.0.0.1", *(f"{k}: {v}" for k, v in headers.items()), "", ""]
    with Wire(server.port) as wire:
        return wire.ask("\r\n".join(lines))


def error(response) -> tuple[int, int]:
    return response.status, response.json()["code"]


class TestRefusals:
    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ("EIO=3&transport=polling", 5),
            ("EIO=4&transport=carrier-pigeon", 0),
            ("EIO=4&transport=polling&sid=other-0-0123456789abcdef01234567", 1),
            ("EIO=4&transport=polling&sid=%2e%2e%2f", 1),
            ("EIO=4&transport=polling&sid=-", 1),
            ("EIO=4&transport=polling&sid=" + "-" * 100, 1),
        ],
    )
    def test_by_number(self, shared, query, code):
        assert error(get(shared, query)) == (400, code)

    def test_a_loop_that_is_not_there(self, shared, polling):
        instance = polling.sid.rsplit("-", 2)[0]
        for loop in ("2", "65535", "65536", "-1", "x", ""):
            assert error(get(shared, f"EIO=4&transport=polling&sid={instance}-{loop}-00")) == (400, 1)

    def test_a_session_of_this_server_that_never_was(self, shared, polling):
        instance = polling.sid.rsplit("-", 2)[0]
        for loop in (0, 1):
            sid = f"{instance}-{loop}-0123456789abcdef01234567"
            assert error(get(shared, f"EIO=4&transport=polling&sid={sid}")) == (400, 1)
            with Wire(shared.port) as wire:
                assert error(wire.upgrade(f"{PATH}?EIO=4&transport=websocket&sid={sid}")) == (400, 1)


class TestOrigins:
    def test_a_foreign_page_is_forbidden(self, shared):
        for origin in ("https://evil.example", "null", "http://chat.example"):
            response = get(shared, "EIO=4&transport=polling", Origin=origin)
            assert error(response) == (403, 4)
            assert "access-control-allow-origin" not in response.headers
            with Wire(shared.port) as wire:
                assert error(wire.upgrade(f"{PATH}?EIO=4&transport=websocket", Origin=origin)) == (403, 4)

    def test_a_page_on_the_list_may_with_credentials(self, shared):
        response = get(shared, "EIO=4&transport=polling", Origin="https://chat.example")
        assert response.status == 200
        assert response.headers["access-control-allow-origin"] == "https://chat.example"
        assert response.headers["access-control-allow-credentials"] == "true"
        assert response.headers["vary"] == "Origin"

    def test_errors_can_be_read_by_a_page_on_the_list(self, shared):
        response = get(shared, "EIO=3&transport=polling", Origin="https://chat.example")
        assert error(response) == (400, 5)
        assert response.headers["access-control-allow-origin"] == "https://chat.example"

    def test_a_preflight_is_answered(self, shared):
        with Wire(shared.port) as wire:
            response = wire.ask(
                f"OPTIONS {PATH}?EIO=4&transport=polling HTTP/1.1\r\nHost: localhost\r\nOrigin: https://chat.example\r\n"
                "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: content-type\r\n\r\n"
            )
        assert response.status == 204
        assert response.headers["access-control-allow-credentials"] == "true"
        assert "POST" in response.headers["access-control-allow-methods"]


class TestRequests:
    def test_two_gets_at_once_end_the_session(self, polling):
        polling.start_poll()
        with Wire(polling.port) as second:
            polling.start_poll(second)
            # Either may reach the session's loop first.
            answers = [polling.finish_poll(), second.response()]
        assert sorted(answer.status for answer in answers) == [200, 400]
        polling.assert_gone()

    def test_a_post_to_an_upgraded_session_is_refused_and_changes_nothing(self, polling):
        with Socket(polling.port, PATH, sid=polling.sid) as socket:
            socket.probe()
            socket.send("5", "40")
            assert socket.receive().startswith("40")
            assert error(polling.post('42["ping",{}]')) == (400, 3)
            socket.send('42["ping",1]')
            assert socket.receive() == '42["pong",1]'

    def test_upgrading_twice_closes_the_second(self, polling):
        with Socket(polling.port, PATH, sid=polling.sid) as socket:
            socket.probe()
            socket.send("5", "40")
            assert socket.receive().startswith("40")
            with Socket(polling.port, PATH, sid=polling.sid) as second:
                second.expect_close()
            socket.send('42["ping",1]')
            assert socket.receive() == '42["pong",1]'

    def test_a_probe_without_an_upgrade_leaves_polling_as_it_is(self, polling):
        with Socket(polling.port, PATH, sid=polling.sid) as socket:
            socket.probe()
        polling.send("40", '42["ping",1]')
        got = []
        while '42["pong",1]' not in got:
            got += polling.poll()
        assert got[0].startswith("40") or got[0] == "6"

    def test_a_body_over_the_limit_is_413(self, shared, polling):
        with Wire(shared.port) as wire:
            wire.send(f"POST {PATH}?{polling.query} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 131073\r\n\r\n")
            assert wire.response().status == 413

    def test_a_websocket_message_over_the_limit_is_1009(self, socket):
        socket.send("4" + "x" * 131_072)
        assert socket.expect_close() == 1009

    def test_binary_in_pieces_over_the_limit_closes(self, socket):
        arguments = ",".join(f'{{"_placeholder":true,"num":{number}}}' for number in range(2))
        socket.send(f'452-["x",{arguments}]', b"x" * 100_000, b"x" * 100_000)
        socket.expect_close()


class TestPackets:
    @pytest.mark.parametrize(
        "packets",
        [
            ("4",),
            ("49",),
            ("40",),
            ("42[",),
            ("42{}",),
            ('429007199254740993["ping"]',),
            ('44{"message":"x"}',),
            ('42/nowhere,["ping"]',),
            ('451-["ping"]', b"x"),
            ('451-["ping",{"_placeholder":true,"num":0}]', '42["ping",1]'),
            ('45999999999-["ping"]',),
            (b"stray",),
            ("7",),
            ("b!",),
        ],
        ids=lambda packets: " ".join(repr(packet)[:40] for packet in packets),
    )
    def test_malformed_ones_close(self, socket, packets):
        if packets == ("42[",):
            # The head is in order; what the array holds is the event's affair.
            socket.send("42[")
            assert json.loads(socket.receive()[2:])[1]["code"] == "bad_frame"
            return
        socket.send(*packets)
        socket.expect_close()

    def test_before_connect_closes(self, shared):
        with Socket(shared.port, PATH) as socket:
            socket.send('42["ping",1]')
            socket.expect_close()

    @pytest.mark.parametrize("payload", ["[]", "[1]", "[null]", "[{}]", '[["ping"]]', "[" * 40 + "]" * 40, '["ping"'])
    def test_a_payload_that_is_no_event_gets_an_error(self, socket, payload):
        socket.send("42" + payload)
        name, data = json.loads(socket.receive()[2:])
        assert (name, data["code"]) == ("error", "bad_frame")
        socket.send('42["ping",1]')
        assert socket.receive() == '42["pong",1]'

    def test_ten_in_a_row_end_the_connection_for_good(self, socket):
        socket.send(*["42[1]"] * 10)
        codes = [json.loads(socket.receive()[2:])[1]["code"] for _ in range(10)]
        assert codes == ["bad_frame"] * 10
        assert socket.receive() == "41"
        socket.expect_close()

    def test_an_unrequested_ack_changes_nothing(self, socket):
        socket.send("4399[]", "431[1]", '42["ping",1]')
        assert socket.receive() == '42["pong",1]'


class TestLimits:
    def test_a_client_that_does_not_poll_is_a_slow_consumer(self, make_server, make_chat, room):
        server = make_server({"OUTPUT_QUEUE_BYTES": "262144"})
        with Polling(server.port, PATH) as lazy:
            lazy.send("40", '42["authenticate",{"userId":"lazy"}]', f'42["join_room",{{"roomId":"{room}"}}]')
            got = []
            while not any("room_state" in packet for packet in got):
                got += lazy.poll()
            sender = make_chat(server, "sender")
            sender.join(room)
            before = metric(server, "chat_slow_consumers_total")
            # A polling client may leave four times as much as a WebSocket.
            for _ in range(150):
                sender.send(room, "x" * 8000)
            eventually(lambda: metric(server, "chat_slow_consumers_total") == before + 1, "the lazy one was noticed")
            lazy.assert_gone()

    def test_a_polling_client_that_goes_away_frees_its_session(self, make_server):
        server = make_server()
        before = descriptors(server.pid)
        sessions = [Polling(server.port, PATH) for _ in range(50)]
        for session in sessions:
            session.send("40")
            assert session.poll()[0].startswith("40")
            session.start_poll()
        eventually(lambda: metric(server, "chat_sessions") == 50, "they are there")
        for session in sessions:
            session.close()
        eventually(lambda: metric(server, "chat_sessions") == 0, "they are gone")
        eventually(lambda: descriptors(server.pid) <= before + 3, "their sockets are closed")

    def test_ten_thousand_handshakes_never_followed_up(self, make_server):
        """Each costs little memory, and all of it comes back when the heartbeat misses them (45 s by default)."""
        server = make_server()

        def knock(count: int) -> None:
            with Wire(server.port) as wire:
                for _ in range(count):
                    response = wire.ask(f"GET {PATH}?EIO=4&transport=polling HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    assert response.status == 200

        def everybody() -> None:
            with ThreadPoolExecutor(4) as pool:
                for knocked in [pool.submit(knock, 2500) for _ in range(4)]:
                    knocked.result()

        knock(100)
        before = resident_bytes(server.pid)
        everybody()
        held = resident_bytes(server.pid) - before
        assert held < 10_000 * 4096, f"{held / 10_000:.0f} bytes each"
        sid = Polling(server.port, PATH)
        eventually(sid.is_gone, "the last of them has ended", 120, every=1)
        # Memory that is free again is used again: a second round takes little more.
        everybody()
        assert resident_bytes(server.pid) - before < held * 1.3 + 4_000_000


class TestWithoutCloseCodes:
    """4401 and 4409 over Socket.IO: an error, then DISCONNECT, after which stock clients do not come back."""

    def test_a_client_that_does_not_authenticate_in_time_gets_an_error(self, make_server):
        server = make_server({"JWT_SECRET": "k" * 32})
        with Socket(server.port, PATH) as socket:
            socket.send("40")
            assert socket.receive().startswith("40")
            name, data = json.loads(socket.receive()[2:])
            assert (name, data["code"]) == ("error", "unauthenticated")
            assert socket.receive() == "41"
            socket.expect_close()

    def test_a_polling_client_gets_both_too(self, make_server):
        server = make_server({"MAX_CONNECTIONS_PER_USER": "1"})
        with Polling(server.port, PATH) as first:
            first.send("40", '42["authenticate",{"userId":"ada"}]')
            with Socket(server.port, PATH) as second:
                second.send("40", '42["authenticate",{"userId":"ada"}]')
                got = []
                while "1" not in got:
                    got += first.poll()
                assert [packet[:10] for packet in got[-3:]] == ['42["error"', "41", "1"]
            first.assert_gone()
