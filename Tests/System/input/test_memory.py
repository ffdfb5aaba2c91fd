"""What clients may make the server hold, with and without a name: little, and only for a while."""

import json
from concurrent.futures import ThreadPoolExecutor

import requests

from support.deadline import eventually
from support.metrics import metric
from support.process import resident_bytes
from support.wire import TEXT, Wire, event, narrow

POLLING = "/socket.io/?EIO=4&transport=polling"
# The most a WebSocket client with the `websockets` library's defaults takes.
LARGEST_FRAME = 1 << 20
# Of 16 KB, and six times that as JSON.
LONG = "\x01" * 16_384
BOUND = 32 << 20


def handshake(wire: Wire, *fields: str) -> dict:
    """A polling session over a connection that may carry any number of them."""
    response = wire.ask("\r\n".join([f"GET {POLLING} HTTP/1.1", "Host: localhost", *fields, "", ""]))
    return json.loads(response.body[1:]) if response.status == 200 else {"status": response.status}


def post(wire: Wire, sid: str, body: bytes):
    return wire.ask(
        f"POST {POLLING}&sid={sid} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    )


def fill(server, room: str, count: int) -> None:
    """Long messages, sent over REST by a caller that receives none of them."""
    with Wire(server.port) as wire:
        wire.open("/?userId=filler").send(event("join_room", {"roomId": room}, 1))
        assert wire.event("ack")["success"]
    with requests.Session() as http:
        http.trust_env = False
        for _ in range(count):
            answer = http.post(
                f"{server.url}/api/chat/{room}/messages", json={"message": LONG}, headers={"X-User-Id": "filler"}
            )
            assert answer.status_code == 201


class TestWithoutAName:
    def test_unfinished_binary_packets_are_not_kept(self, shared):
        packet = f'451-["x",{{"_placeholder":true,"num":0}},"{"x" * 120_000}"]'.encode()
        before = resident_bytes(shared.pid)
        with Wire(shared.port) as wire:
            for _ in range(600):
                sid = handshake(wire)["sid"]
                assert post(wire, sid, b"40\x1e" + packet).status == 200
        assert resident_bytes(shared.pid) - before < BOUND, "70 MB were sent"

    def test_an_answer_that_is_not_polled_ends_the_session(self, shared):
        with Wire(shared.port) as wire:
            sid = handshake(wire)["sid"]
            ping = f'42["ping",{{"text":"{"x" * 10_000}"}}]'.encode()
            post(wire, sid, b"\x1e".join([b"40", ping, ping, ping]))
            assert post(wire, sid, b"3").status == 400

    def test_the_oldest_strangers_make_room_and_named_users_stay(self, shared):
        with Wire(shared.port) as wire:
            known = handshake(wire)["sid"]
            assert post(wire, known, b'40\x1e42["authenticate",{"userId":"known"}]').status == 200
            # On one connection, so on one loop.
            oldest = handshake(wire)["sid"]
            for _ in range(1100):
                assert "sid" in handshake(wire)
            assert post(wire, oldest, b"3").status == 400
            assert post(wire, known, b"3").status == 200

    def test_sessions_are_counted_with_the_connections(self, make_server):
        server = make_server({"MAX_CONNECTIONS": "20"})
        with Wire(server.port) as wire:
            answers = [handshake(wire) for _ in range(30)]
            let_in = [answer for answer in answers if "sid" in answer]
            assert 15 <= len(let_in) <= 19
            assert {answer["status"] for answer in answers if "sid" not in answer} == {503}
        assert metric(server, "chat_polling_sessions") == len(let_in)

    def test_handshakes_on_one_connection_are_limited_like_connections(self, make_server):
        server = make_server({"RATE_LIMIT_CONNECTIONS": "5"})
        with Wire(server.port) as wire:
            answers = []
            while len(answers) < 100 and (not answers or "sid" in answers[-1]):
                answers.append(handshake(wire))
            assert answers[-1] == {"status": 429}

    def test_handshakes_behind_a_proxy_are_counted_by_client(self, make_server):
        server = make_server({"RATE_LIMIT_CONNECTIONS": "5", "TRUSTED_PROXIES": "127.0.0.1/32"})

        def knock(address: str) -> dict:
            with Wire(server.port) as wire:
                return handshake(wire, f"X-Forwarded-For: {address}")

        answers = []
        while len(answers) < 200 and (not answers or "sid" in answers[-1]):
            answers.append(knock("192.0.2.1"))
        assert answers[-1] == {"status": 429}
        assert "sid" in knock("192.0.2.2")


class TestLongRooms:
    def test_every_answer_comes_in_frames_of_less_than_a_mebibyte(self, shared, room):
        fill(shared, room, 60)

        def join(number: int) -> list[str]:
            with Wire(shared.port, timeout=60) as wire:
                wire.open(f"/?userId=reader-{number}").send(event("join_room", {"roomId": room, "since": 0}, 7))
                events = []
                for got in wire.frames():
                    assert len(got.payload) < LARGEST_FRAME
                    events.append(json.loads(got.payload)["event"] if got.opcode == TEXT else "")
                    if events[-1] == "ack":
                        return events
                raise AssertionError("unreachable")

        before = resident_bytes(shared.pid)
        with ThreadPoolExecutor(5) as pool:
            for events in pool.map(join, range(5)):
                assert "resync_required" in events and "message_history" in events
        assert resident_bytes(shared.pid) - before < BOUND

    def test_pages_of_history_are_bounded_and_meet_every_message_once(self, shared, room):
        fill(shared, room, 30)
        for parameter, edge in (("before", "firstSeq"), ("after", "lastSeq")):
            seen: list[int] = []
            path = f"/api/chat/{room}/history?limit=1000" + ("&after=0" if parameter == "after" else "")
            while True:
                answer = shared.get(path)
                assert len(answer.content) < LARGEST_FRAME
                page = answer.json()
                seen += [message["seq"] for message in page["messages"]]
                if not page["hasMore"]:
                    break
                assert len(page["messages"]) >= 8, "as many as fit"
                path = f"/api/chat/{room}/history?limit=1000&{parameter}={page[edge]}"
            assert sorted(seen) == list(range(1, 31))

    def test_joins_are_answered_as_fast_as_they_are_read(self, shared, room):
        fill(shared, room, 20)
        before = resident_bytes(shared.pid)
        wire = narrow(shared.port)
        wire.open("/?userId=greedy").send(b"".join(event("join_room", {"roomId": room}, n) for n in range(64)))
        # Nothing is read for a while, and then all of it.
        eventually(lambda: metric(shared, "chat_output_queue_bytes") > 100_000, "answers wait")
        assert metric(shared, "chat_output_queue_bytes") < 2 << 20
        answered, most = 0, 0
        while answered < 64:
            got = wire.frame(timeout=60)
            if got.payload.startswith(b'{"event":"ack"'):
                answered += 1
                most = max(most, resident_bytes(shared.pid))
        assert most - before < BOUND, "64 answers of 0.9 MB"
        wire.socket.close()

    def test_a_polling_client_gets_a_long_answer_in_as_many_polls_as_it_takes(self, make_server, room):
        server = make_server({"OUTPUT_QUEUE_BYTES": "65536"})
        fill(server, room, 20)
        with Wire(server.port, timeout=60) as wire:
            sid = handshake(wire)["sid"]
            body = [b"40", b'42["authenticate",{"userId":"slow"}]']
            body += [f'42{n}["join_room",{{"roomId":"{room}"}}]'.encode() for n in range(4)]
            assert post(wire, sid, b"\x1e".join(body)).status == 200
            packets: list[bytes] = []
            while not any(packet.startswith(b"433[") for packet in packets):
                answer = wire.ask(f"GET {POLLING}&sid={sid} HTTP/1.1\r\nHost: localhost\r\n\r\n")
                assert answer.status == 200
                packets += answer.body.split(b"\x1e")
            histories = [packet for packet in packets if packet.startswith(b'42["message_history"')]
            assert len(histories) == 4
            assert all(800_000 < len(packet) < LARGEST_FRAME for packet in histories)
