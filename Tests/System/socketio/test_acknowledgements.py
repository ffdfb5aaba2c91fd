"""A stock client's request is acknowledged, whatever it asks with, and the next one works."""

import pytest
from engineio_wire import Socket
from sio_client import SocketIOChat


def nested(depth: int):
    value: dict = {}
    for _ in range(depth):
        value = {"a": value}
    return value


@pytest.fixture(params=["websocket", "polling"])
def alice(request, shared):
    client = SocketIOChat(shared.url, request.param).connect()
    client.authenticate("alice")
    client.join("sio-answers")
    yield client
    client.close()


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"message": "half \ud83d"}, None),
        ({"message": "m", "metadata": {"n": 10**30}}, None),
        ({"message": "m", "roomId": 10**30}, "bad_request"),
        ({"message": "m", "metadata": nested(40)}, "bad_frame"),
        ({"message": b"binary"}, "bad_request"),
        ({"message": b"binary", "metadata": nested(40)}, "bad_frame"),
    ],
)
def test_a_request_is_acknowledged(alice, fields, code):
    answer = alice.request("send_message", {"roomId": "sio-answers", **fields})
    assert (answer.get("error") or {}).get("code") == code, answer
    assert alice.send("sio-answers", "and on")["success"] is True


def test_a_packet_without_an_event_name(shared):
    with Socket(shared.port, "/socket.io/") as socket:
        socket.send("40")
        assert socket.receive().startswith("40")
        for number, payload in enumerate(["[7]", "[]", "[nonsense]"]):
            socket.send(f"42{number}{payload}")
            assert socket.receive().startswith(f'43{number}[{{"success":false,"error":{{"code":"bad_frame"')
