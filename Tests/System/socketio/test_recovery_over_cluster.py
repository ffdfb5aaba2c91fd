"""Connection state recovery on another instance, where Redis is a cluster: what is kept of a session is in the slot of its key."""

from functools import partial

import pytest
from recovering_client import Client
from support.deadline import eventually
from support.fleet import Fleet
from support.redis_cluster import RedisCluster


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    fleet = Fleet(
        tmp_path_factory.mktemp("cluster"),
        {"PRESENCE_GRACE_MS": "4000"},
        make_redis=partial(RedisCluster, replicas=0),
    )
    yield fleet
    fleet.stop()


def test_sessions_are_recovered_on_the_other_instance(fleet, make_chat, room):
    one, other = fleet.servers
    sender = make_chat(other, "sender")
    sender.join(room)
    clients = [Client(one.port).enter(f"user-{number}", room) for number in range(8)]
    sender.send(room, "seen")
    for client in clients:
        client.read_messages(1)
        client.drop()
    kept = lambda: sum(len(node.run("KEYS", "*:recovery:*")) for node in fleet.redis.primaries)  # noqa: E731
    eventually(lambda: kept() == len(clients), "all are kept")
    nodes = [node for node in fleet.redis.primaries if node.run("KEYS", "*:recovery:*")]
    assert len(nodes) > 1, "on several nodes"
    sender.send(room, "missed")
    for client in clients:
        back = client.come_back(other.port)
        assert back.recovered(client)
        back.read_messages(2)
        assert [number for _, number in back.seen] == [1, 2]
        back.drop()
