"""Messages that wait: nothing is lost, nothing is doubled, and a room's messages keep their order."""

import pytest
from room_history import texts_of
from sdk_client import SDKClient

from support.deadline import eventually
from support.page import PAGE
from support.relay import Relay

ROOM = "lobby"


@pytest.fixture
def ada(new_client, server):
    client = new_client(server, "ada").connect()
    client.join(ROOM)
    return client


def test_a_server_that_is_killed_twice_in_the_middle_of_a_queue(make_server, new_client):
    # The rate makes the queue last, so that the second kill is certain to fall into it.
    server = make_server(PAGE | {"RATE_LIMIT_MESSAGES": "20"})
    ada = new_client(server, "ada").connect()
    ada.join(ROOM)
    texts = [f"text {number}" for number in range(120)]
    for text in texts[:5]:
        ada.send(ROOM, text)
    server.kill()
    for text in texts[5:100]:
        ada.send(ROOM, text)
    server.restart()
    ada.wait("() => report.sent.length >= 20")
    server.kill()
    assert len(ada.pending(ROOM)) > 0
    for text in texts[100:]:
        ada.send(ROOM, text)
    server.restart()
    ada.wait("() => report.sent.length >= 120 && chat.pending('lobby').length === 0")
    assert ada.report("refused") == []
    assert texts_of(server) == texts
    assert ada.texts(ROOM) == texts


def test_refusals_for_now_keep_the_order(make_server, new_client):
    server = make_server(PAGE | {"RATE_LIMIT_MESSAGES": "2"})
    ada = new_client(server, "ada").connect()
    ada.join(ROOM)
    texts = [f"text {number}" for number in range(12)]
    for text in texts:
        ada.send(ROOM, text)
    ada.wait("() => report.messages.length === 12")
    assert ada.run("() => frames.some((text) => text.includes('rate_limited'))")
    assert texts_of(server) == ada.texts(ROOM) == ada.report("sent") == texts
    assert ada.report("refused") == []


def test_a_refusal_for_good_is_reported_and_the_next_ones_follow(ada, server):
    ada.send(ROOM, "before")
    ada.send(ROOM, "x" * 20_000)
    ada.send(ROOM, "after")
    ada.wait("() => report.messages.length === 2")
    assert ada.texts(ROOM) == texts_of(server) == ["before", "after"]
    assert ada.report("refused") == [["x" * 20_000, "bad_request"]]
    (failed,) = ada.pending(ROOM)
    assert failed["state"] == "failed" and failed["error"]["code"] == "bad_request"
    assert ada.run("() => { chat.sender.discard(chat.pending('lobby')[0]); return chat.pending('lobby').length; }") == 0


def test_an_answer_that_was_lost_does_not_double_the_message(ada, server):
    ada.run("() => { losing = ['']; }")
    ada.send(ROOM, "once")
    eventually(lambda: texts_of(server) == ["once"], "the message is stored")
    assert ada.pending(ROOM)[0]["state"] == "sending"
    ada.run("() => { losing = []; }")
    ada.break_connection()
    ada.wait("() => report.sent.length === 1 && report.messages.length === 1 && chat.pending('lobby').length === 0")
    assert texts_of(server) == ada.texts(ROOM) == ["once"]


def test_a_server_that_is_silent_gets_the_message_again_and_stores_it_once(make_server, new_client):
    # The relay is another origin for a browser.
    server = make_server(PAGE | {"CORS_ORIGIN": "*"})
    relay = Relay(server.port)
    try:
        ada = new_client(server, "ada", url=f"http://127.0.0.1:{relay.port}").connect()
        ada.join(ROOM)
        relay.stall()
        for text in ("one", "two"):
            ada.send(ROOM, text)
        ada.wait("() => chat.pending('lobby')[0].error?.code === 'timeout'")
        relay.resume()
        ada.wait("() => report.messages.length === 2 && chat.pending('lobby').length === 0")
        assert texts_of(server) == ada.texts(ROOM) == ["one", "two"]
    finally:
        relay.close()


def test_what_waits_outlives_a_reload(ada, server, framing):
    server.kill()
    ada.wait_offline()
    for text in ("one", "two"):
        ada.send(ROOM, text)
    ada.run("() => chat.close()")
    server.restart()
    again = SDKClient(ada.runner, server.url, framing=framing, userId="ada").connect()
    again.wait("() => chat.pending('lobby').length === 0")
    assert texts_of(server) == ["one", "two"]


def test_a_full_queue_takes_no_more(ada, server):
    server.kill()
    ada.wait_offline()
    taken = ada.run("() => Array.from({ length: 201 }, (_, at) => chat.send('lobby', `${at}`) !== null)")
    assert taken == [True] * 200 + [False]
    server.restart()
    ada.wait("() => report.messages.length === 200")
    assert texts_of(server) == [str(number) for number in range(200)]
