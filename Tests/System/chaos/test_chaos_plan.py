"""A run is planned by its seed alone; and the links do to a stream what their faults say."""

import asyncio
import random

import pytest

from chaos.plan import KINDS, PER_INSTANCE, Size, make_plan
from chaos.proxies import Exchange, MongoLink, RedisLink, ReplySplitter, is_publication
from chaos.redis_servers import SentinelLink


def test_the_same_seed_makes_the_same_plan():
    assert make_plan(7) == make_plan(7)
    assert make_plan(7).faults != make_plan(8).faults
    assert make_plan(7).clients != make_plan(8).clients


def test_a_plan_holds_what_the_promises_are_about():
    plan = make_plan(3, Size(seconds=600))
    kinds = {command.kind for client in plan.clients for command in client.commands}
    assert kinds == {
        "send", "burst", "send_over_rest", "repeat", "leave", "move", "break", "read", "status", "expel",
        "edit", "delete", "react",
    }
    assert {fault.kind for fault in plan.faults} == {kind.name for kind in KINDS if not kind.needs_sentinels}
    watched = make_plan(3, Size(seconds=600, sentinels=True))
    assert {fault.kind for fault in watched.faults} == {kind.name for kind in KINDS}
    assert {client.framing for client in plan.clients} == {"event", "type", "socketio"}
    assert len({client.user for client in plan.clients}) < len(plan.clients), "some users have two devices"
    assert {client.ends_online for client in plan.clients} == {True, False}
    assert any(room.is_private for room in plan.rooms) and not all(room.is_private for room in plan.rooms)


def test_a_resource_has_one_fault_at_a_time():
    for seed in range(20):
        ends: dict = {}
        for fault in make_plan(seed, Size(seconds=300)).faults:
            assert (fault.instance is not None) == (fault.resource in PER_INSTANCE)
            assert fault.begins > ends.get((fault.resource, fault.instance), 0)
            ends[fault.resource, fault.instance] = fault.ends


def test_kinds_of_faults_can_be_chosen():
    plan = make_plan(1, Size(seconds=200, kinds=("flush_redis",)))
    assert {fault.kind for fault in plan.faults} == {"flush_redis"}
    with pytest.raises(ValueError, match="no such faults: flood"):
        make_plan(1, Size(kinds=("flood",)))


def test_a_sentinel_names_the_links_of_an_instance():
    server, replica = _port(), _port()
    link = SentinelLink(_port(), random.Random(1), {server: 54321, replica: 54322})
    change = link.answers(Exchange())
    named = f"*2\r\n$9\r\n127.0.0.1\r\n$5\r\n{server}\r\n".encode()
    switched = f"$36\r\nchat 127.0.0.1 {server} 127.0.0.1 {replica}\r\n".encode()
    assert change(named[:-4]) == [], "a reply in two pieces is passed on as a whole"
    assert change(named[-4:]) == [named.replace(str(server).encode(), b"54321")]
    assert change(switched) == [b"$36\r\nchat 127.0.0.1 54321 127.0.0.1 54322\r\n"]


PUBLICATION = b"*3\r\n$7\r\nmessage\r\n$11\r\nchat:room:r\r\n$4\r\n\r\n\r\n\r\n"
OTHERS = [b"+OK\r\n", b":7\r\n", b"$-1\r\n", b"*-1\r\n", b"*2\r\n*1\r\n:1\r\n$2\r\nab\r\n", b"$0\r\n\r\n", b"-ERR no\r\n"]


def test_replies_are_split_wherever_the_stream_breaks():
    stream = OTHERS[0] + PUBLICATION + b"".join(OTHERS[1:])
    expected = [OTHERS[0], PUBLICATION, *OTHERS[1:]]
    for cut in range(len(stream)):
        splitter = ReplySplitter()
        assert splitter.feed(stream[:cut]) + splitter.feed(stream[cut:]) == expected
    assert [is_publication(reply) for reply in expected] == [False, True] + [False] * 6


async def _through(link, server_says: bytes, request: bytes = b"x") -> tuple[bytes, bool]:
    """What the instance gets through a link, and whether the connection still stands then."""

    async def serve(reader, writer):
        await reader.read(100)
        writer.write(server_says)
        await writer.drain()
        await reader.read(100)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", link._server_port)
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
        writer.write(request)
        got = b""
        try:
            while not got.endswith(b"+END\r\n"):
                piece = await asyncio.wait_for(reader.read(100), 30)
                if not piece:
                    return got, False
                got += piece
        except ConnectionError:
            return got, False
        return got, True
    finally:
        await link.close()
        server.close()


@pytest.mark.parametrize("loss, expected", [(0.0, PUBLICATION + b"+END\r\n"), (1.0, b"+END\r\n")])
def test_publications_are_lost_and_nothing_else(loss, expected):
    async def run():
        link = await RedisLink(_port(), random.Random(1)).start()
        link.loss = loss
        return await _through(link, PUBLICATION + b"+END\r\n")

    assert asyncio.run(run()) == (expected, True)


@pytest.mark.parametrize(
    "request_, loss, stands",
    [(b"\0insert\0", 1.0, False), (b"\0find\0", 1.0, True), (b"\0insert\0", 0.0, True)],
)
def test_answers_to_writes_are_lost_with_the_connection(request_, loss, stands):
    async def run():
        link = await MongoLink(_port(), random.Random(1)).start()
        link.loss = loss
        return await _through(link, b"+END\r\n", request_)

    assert asyncio.run(run()) == (b"+END\r\n" if stands else b"", stands)


def _port() -> int:
    from support.server import free_port

    return free_port()
