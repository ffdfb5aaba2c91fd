"""Socket.IO v5 as its protocol describes it, against the echo at /socket.io/ with the namespaces / and /custom."""

import json
import time

import pytest
from engineio_wire import Closed, Polling, Socket

PATH = "/socket.io/"
CONNECT_TIMEOUT = 1.0


@pytest.fixture
def open_socket(conformance):
    """A WebSocket before any CONNECT."""
    with Socket(conformance, PATH) as socket:
        yield socket


@pytest.fixture
def socket(open_socket):
    """A WebSocket in the main namespace."""
    connect(open_socket)
    return open_socket


def take(socket: Socket) -> str | bytes:
    """The next packet that is no heartbeat; heartbeats are answered."""
    while (packet := socket.receive()) == "2":
        socket.send("3")
    return packet


def take_until_closed(socket: Socket) -> None:
    with pytest.raises((Closed, EOFError)):
        while True:
            take(socket)


def connect(socket: Socket, namespace: str = "", auth: str = "") -> str:
    socket.send(f"40{namespace}{auth}")
    answer = take(socket)
    assert answer.startswith(f"40{namespace}{{"), answer
    sid = json.loads(answer[2 + len(namespace) :])["sid"]
    assert take(socket) == f'42{namespace}["auth",{auth or "{}"}]'
    return sid


class TestConnect:
    def test_to_the_main_namespace(self, open_socket):
        assert connect(open_socket)

    def test_with_auth(self, open_socket):
        connect(open_socket, auth='{"token":"123","n":[1,null,true]}')

    def test_to_another_namespace(self, open_socket):
        assert connect(open_socket, "/custom,")

    def test_to_another_namespace_with_auth(self, open_socket):
        connect(open_socket, "/custom,", '{"token":"abc"}')

    def test_each_namespace_has_an_id_of_its_own_that_is_not_the_sessions(self, open_socket):
        ids = {connect(open_socket), connect(open_socket, "/custom,"), open_socket.sid}
        assert len(ids) == 3

    @pytest.mark.parametrize("namespace", ["/random", "/cust", "/custom2", "//", "/ä"])
    def test_an_unknown_namespace_is_an_error_and_no_disconnect(self, open_socket, namespace):
        open_socket.send(f"40{namespace},")
        assert take(open_socket) == f'44{namespace},{{"message":"Invalid namespace"}}'
        connect(open_socket)

    def test_a_connect_to_no_namespace_in_time_is_closed(self, hasty):
        begin = time.monotonic()
        with Socket(hasty, PATH) as socket:
            take_until_closed(socket)
        assert time.monotonic() - begin >= CONNECT_TIMEOUT - 0.1

    def test_by_polling(self, conformance):
        with Polling(conformance, PATH) as polling:
            polling.send('40{"token":"123"}')
            packets = polling.packets()
            assert next(packets).startswith('40{"sid":"')
            assert next(packets) == '42["auth",{"token":"123"}]'
            polling.send('42["message",1]', '42["message",2]')
            assert [next(packets), next(packets)] == ['42["message-back",1]', '42["message-back",2]']


class TestDisconnect:
    def test_from_a_namespace_leaves_the_others(self, socket):
        connect(socket, "/custom,")
        socket.send("41/custom,", '42["message","still here"]')
        assert take(socket) == '42["message-back","still here"]'

    def test_and_connect_again(self, socket):
        connect(socket, "/custom,")
        socket.send("41/custom,")
        connect(socket, "/custom,")

    def test_from_all_closes_after_a_while(self, socket):
        socket.send("41")
        take_until_closed(socket)


class TestMessages:
    @pytest.mark.parametrize(
        "arguments",
        ['1,"2",{"3":["4"]}', '""', "null", '[],{},[[[]]]', '"ü \\" \\\\ \\u0000 🙂"', "1e3,-0.5,true,false"],
    )
    def test_arguments_come_back_as_they_are(self, socket, arguments):
        socket.send(f'42["message",{arguments}]')
        got = take(socket)
        assert json.loads(got[2:]) == ["message-back", *json.loads(f"[{arguments}]")]

    def test_in_another_namespace(self, socket):
        connect(socket, "/custom,")
        socket.send('42/custom,["message",1]')
        assert take(socket) == '42/custom,["message-back",1]'

    def test_binary(self, socket):
        socket.send(
            '452-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]', b"\x01\x02\x03", b"\x04"
        )
        got = take(socket)
        assert got == '452-["message-back",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]'
        assert [take(socket), take(socket)] == [b"\x01\x02\x03", b"\x04"]

    def test_binary_by_polling(self, conformance):
        with Polling(conformance, PATH) as polling:
            polling.send("40", '451-["message",{"a":{"_placeholder":true,"num":0}}]', bytes(range(256)))
            packets = polling.packets()
            got = [next(packets) for _ in range(4)][1:]
            assert got[1:] == ['451-["message-back",{"a":{"_placeholder":true,"num":0}}]', bytes(range(256))]

    def test_an_ack(self, socket):
        socket.send('42456["message-with-ack",1,"2",{"3":[false]}]')
        assert take(socket) == '43456[1,"2",{"3":[false]}]'

    def test_an_ack_of_id_0_and_of_the_largest(self, socket):
        for id in (0, 2**53 - 1):
            socket.send(f'42{id}["message-with-ack"]')
            assert take(socket) == f"43{id}[]"

    def test_an_ack_in_another_namespace(self, socket):
        connect(socket, "/custom,")
        socket.send('42/custom,7["message-with-ack",1]')
        assert take(socket) == "43/custom,7[1]"

    def test_a_binary_ack(self, socket):
        socket.send('451-789["message-with-ack",{"_placeholder":true,"num":0}]', b"\x01\x02")
        assert take(socket) == '461-789[{"_placeholder":true,"num":0}]'
        assert take(socket) == b"\x01\x02"

    def test_an_unrequested_ack_changes_nothing(self, socket):
        socket.send("435[]", '42["message",1]')
        assert take(socket) == '42["message-back",1]'


class TestMalformed:
    """Each of these ends the connection; the protocol has no other answer."""

    @pytest.mark.parametrize(
        "packets",
        [
            ("4abc",),
            ("4",),
            ("47",),
            ("4-1",),
            ("42",),
            ("42{}",),
            ('42"message"',),
            ("43[]",),
            ("431",),
            ('429007199254740992["message-with-ack"]',),
            ('4299999999999999999999999["message-with-ack"]',),
            ("40",),
            ('40"auth"',),
            ("41{}",),
            ('44{"message":"x"}',),
            ('42/custom,["message",1]',),
            ('42/nowhere,["message",1]',),
            ("41/custom,",),
            ('45["message"]',),
            ('45-["message"]',),
            ('450-["message"]',),
            ('451["message",{"_placeholder":true,"num":0}]',),
            ('45999-["message",{"_placeholder":true,"num":0}]',),
            ('451-["message"]', b"x"),
            ('451-["message",{"_placeholder":true,"num":1}]', b"x"),
            ('451-["message",{"_placeholder":true,"num":"x"}]', b"x"),
            ('451-["message",{"_placeholder":true,"num":0}]', '42["message"]'),
            ("451-[not json", b"x"),
            (b"out of nowhere",),
            (f"40/{'n' * 200},",),
        ],
        ids=lambda packets: " ".join(repr(packet)[:48] for packet in packets),
    )
    def test_closes_the_connection(self, socket, packets):
        socket.send(*packets)
        socket.expect_close()

    @pytest.mark.parametrize("packet", ['42["message",1]', "41", "430[]", b"x"], ids=repr)
    def test_before_connect_closes_the_connection(self, open_socket, packet):
        open_socket.send(packet)
        open_socket.expect_close()

    def test_by_polling_ends_the_session(self, conformance):
        with Polling(conformance, PATH) as polling:
            polling.send("40")
            polling.post("4abc")
            deadline = time.monotonic() + 3
            while polling.get_once(polling.query).status == 200:
                assert time.monotonic() < deadline
            polling.assert_gone()
