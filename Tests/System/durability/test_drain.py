"""SIGTERM: readiness goes first, then the sessions, and nothing acknowledged is lost."""

import asyncio
import signal
from concurrent.futures import ThreadPoolExecutor

import requests
from websockets.exceptions import ConnectionClosed

from support.deadline import TIMEOUT_SECONDS, eventually
from support.talkers import Talk, Talker, whole_history
from support.wire import Wire


def test_a_drain_under_load(make_server):
    server = make_server({"SHUTDOWN_GRACE_MS": "1500", "PRESENCE_GRACE_MS": "0"})
    talkers = [Talker([server.ws_url], f"user-{n}", f"room-{n % 3}") for n in range(20)]
    code = asyncio.run(_drain(server, talkers))
    assert code == 0
    for talker in talkers:
        assert talker.closes[0] == 1012, "the code that says: come back and resume"
        assert 0 <= talker.draining[0]["reconnectInMs"] <= 1500
    server.start()
    for room in {talker.room for talker in talkers}:
        history = whole_history(server, room)
        assert [message["seq"] for message in history] == list(range(1, len(history) + 1))
        stored = {message["clientMessageId"]: message["seq"] for message in history}
        for talker in (each for each in talkers if each.room == room):
            assert {id: ack.seq for id, ack in talker.acknowledged.items()}.items() <= stored.items()
            assert [m["seq"] for m in talker.seen] == list(range(1, len(talker.seen) + 1))


async def _drain(server, talkers: list[Talker]) -> int:
    talk = Talk(talkers)
    await talk.progress(6)
    code = await asyncio.to_thread(server.terminate)
    await talk.end()
    return code


def test_readiness_goes_first_and_newcomers_are_sent_elsewhere(make_server, make_chat):
    server = make_server({"SHUTDOWN_GRACE_MS": "3000"})
    chats = [make_chat(server, f"user-{n}") for n in range(20)]
    for chat in chats:
        chat.join("r")
    probe = requests.Session()
    probe.trust_env = False
    assert probe.get(server.url + "/ready").status_code == 200
    with ThreadPoolExecutor() as pool:
        ended = pool.submit(server.terminate)
        eventually(lambda: probe.get(server.url + "/ready").status_code == 503, "not ready", every=0)
        ready = probe.get(server.url + "/ready").json()
        assert ready["status"] == "draining" and ready["ready"] is False
        assert probe.get(server.url + "/health").status_code == 200, "it still serves"
        with Wire(server.port) as wire:
            answer = wire.upgrade()
            assert answer.status == 503 and answer.json()["retryable"] is True and "retry-after" in answer.headers
        for chat in chats:
            assert chat.expect("server_draining")["reconnectInMs"] >= 0
        # Those not yet sent away may finish what they are at.
        acks = sum(_is_taken(chat) for chat in chats)
        assert acks >= 1
        assert ended.result(timeout=TIMEOUT_SECONDS) == 0
    for chat in chats:
        chat.expect_close(1012)
    server.start()
    assert server.get("/api/chat/r/history?limit=100").json()["lastSeq"] >= acks


def _is_taken(chat) -> bool:
    try:
        return chat.send("r", "last words")["success"]
    except ConnectionClosed:
        return False


def test_an_idle_server_ends_at_once(make_server):
    server = make_server({"SHUTDOWN_GRACE_MS": "600000"})
    assert server.terminate() == 0
    assert '"message":"stopped"' in server.log_text()


def test_a_second_signal_ends_the_drain(make_server, make_chat):
    server = make_server({"SHUTDOWN_GRACE_MS": "600000"})
    chats = [make_chat(server, f"user-{n}") for n in range(10)]
    process = server.process
    process.send_signal(signal.SIGTERM)
    chats[0].expect("server_draining")
    process.send_signal(signal.SIGTERM)
    assert server.wait() == 128 + signal.SIGTERM


def test_keep_alive_connections_do_not_hold_up_the_end(make_server):
    server = make_server({"SHUTDOWN_GRACE_MS": "600000"})
    with Wire(server.port) as idle, Wire(server.port) as fresh:
        assert idle.ask("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").status == 200
        assert server.terminate() == 0
        idle.expect_end()
        fresh.expect_end()
