"""A fleet over Redis Cluster: three primaries, each with a replica, whose slots move and whose nodes fail."""

import asyncio
import json
import time
from functools import partial

import redis

from support.deadline import TIMEOUT_SECONDS, eventually
from support.redis_cluster import RedisCluster
from support.talkers import Talker, check, talking

KEY = {"X-Service-Key": "a-service-key-of-length"}
ENVIRONMENT = {"SERVICE_API_KEY": KEY["X-Service-Key"]}
# All presence of a deployment is in the slot of this key.
PRESENCE = "{chat-service}:instances"
ROOMS = 3
CLIENTS = 12


def crowd(fleet) -> list[Talker]:
    """Clients on both instances; every room has some on each."""
    urls = fleet.urls
    return [Talker([urls[n % 2]], f"user-{n}", f"room-{n // 2 % ROOMS}", 0.05) for n in range(CLIENTS)]


def dependency(server) -> dict:
    return server.get("/ready").json()["dependencies"]["redis"]


def is_up(server) -> bool:
    return dependency(server)["state"] == "up"


def online(server) -> int:
    return server.get("/api/online-users?countOnly=true", headers=KEY).json()["count"]


def presence_is_right(fleet, users: set[str]) -> bool:
    """The lists of every instance, and the keys that other services read."""
    if any(online(server) != len(users) for server in fleet.servers):
        return False
    try:
        with fleet.redis.client() as keys:
            names = set(keys.smembers("online_users")), set(keys.smembers("online:users:set"))
            hashes = {user for user in users if keys.hget(f"user:presence:{user}", "status") == "online"}
            sockets = {user for user in users if keys.exists(f"online:user:socket:{user}")}
            members = set().union(*(keys.smembers(f"chat:room:room-{n}:users") for n in range(ROOMS)))
            unwritten = keys.zcard("{chat-service}:unwritten")
    except redis.RedisError:
        return False
    return names == (users, users) and hashes == sockets == members == users and unwritten == 0


async def wait(condition, what: str, seconds: float = 60) -> None:
    await asyncio.to_thread(eventually, condition, what, seconds)


def judge(fleet, talkers: list[Talker]) -> None:
    for server in fleet.servers:
        check(server, talkers)
    assert all(len(talker.closes) == 1 for talker in talkers), "no client noticed"
    assert not any(talker.refused for talker in talkers)


def test_chat_presence_and_history(make_fleet, make_chat, room):
    fleet = make_fleet(ENVIRONMENT, make_redis=partial(RedisCluster, replicas=0))
    one, two = fleet.servers
    for server in fleet.servers:
        eventually(partial(is_up, server), "it is connected to the cluster")
    alice, bob = make_chat(one, "alice"), make_chat(two, "bob")
    for chat in (alice, bob):
        chat.join(room)
    for number in range(5):
        alice.send(room, f"from alice {number}")
        bob.expect("new_message", lambda data, number=number: data["message"] == f"from alice {number}")
        bob.send(room, f"from bob {number}")
    keys = fleet.redis.client()
    users = {"alice", "bob"}
    eventually(lambda: keys.smembers("online_users") == keys.smembers(f"chat:room:{room}:users") == users, "the sets")
    eventually(lambda: all(online(server) == 2 for server in fleet.servers), "the counts")
    alice.ask("set_status", {"status": "busy"})
    eventually(lambda: keys.hget("user:presence:alice", "status") == "busy", "the status")
    assert json.loads(keys.get("online:presence:alice"))["status"] == "busy"
    numbers = lambda: [json.loads(entry)["seq"] for entry in keys.lrange(f"chat:history:{room}", 0, -1)]  # noqa: E731
    assert one.get(f"/api/chat/{room}/history").json()["lastSeq"] == 10
    eventually(lambda: numbers() == list(range(1, 11)), "the list of history")
    # Another service hears a room's traffic at the node of its slot, and changes of presence at any node.
    node = fleet.redis.owner(f"chat:room:{room}").client()
    assert dict([node.execute_command("PUBSUB", "SHARDNUMSUB", f"chat:room:{room}")]) == {f"chat:room:{room}": 2}
    listener = fleet.redis.primaries[0].client().pubsub()
    listener.subscribe("presence:updates")
    assert listener.get_message(timeout=TIMEOUT_SECONDS)["type"] == "subscribe"
    bob.close()
    eventually(lambda: keys.smembers("online_users") == keys.smembers(f"chat:room:{room}:users") == {"alice"}, "bob is gone")
    update = json.loads(listener.get_message(timeout=TIMEOUT_SECONDS)["data"])
    assert (update["userId"], update["status"]) == ("bob", "offline")
    assert not keys.exists("user:presence:bob") and not keys.exists("online:presence:bob")
    spread = {fleet.redis.owner(key).port for key in ("online_users", f"chat:history:{room}", PRESENCE)}
    assert len(spread) > 1, "the keys are on several nodes"


def test_slots_moved_under_load(make_fleet):
    """A room's slot, with its history and its channel, and the slot of presence."""
    fleet = make_fleet(ENVIRONMENT, make_redis=partial(RedisCluster, replicas=0))
    talkers = crowd(fleet)

    def move(key: str) -> None:
        target = next(node for node in fleet.redis.primaries if node is not fleet.redis.owner(key))
        fleet.redis.move_slot(key, target, halfway=partial(time.sleep, 0.5))

    async def through() -> None:
        async with talking(talkers) as talk:
            await talk.progress(2)
            for key in ("chat:history:room-0", "chat:room:room-0", "online_users"):
                await asyncio.to_thread(move, key)
                await talk.progress(2)
            await asyncio.to_thread(move, PRESENCE)
            users = {talker.user for talker in talkers}
            await wait(lambda: presence_is_right(fleet, users), "presence is right", 15)
            await talk.progress(2)

    asyncio.run(through())
    judge(fleet, talkers)
    keys = fleet.redis.client()
    for number in range(ROOMS):
        path = f"/api/chat/room-{number}/history"
        last = fleet.servers[0].get(path).json()["lastSeq"]
        eventually(lambda n=number, last=last: f'"seq":{last}' in (keys.lindex(f"chat:history:room-{n}", -1) or ""), "the list")


def test_a_primary_fails_under_load(make_fleet):
    """First that of the contract's sets, then that of presence."""
    fleet = make_fleet(ENVIRONMENT, make_redis=RedisCluster)
    talkers = crowd(fleet)
    users = {talker.user for talker in talkers}

    async def through() -> None:
        async with talking(talkers) as talk:
            await talk.progress(2)
            await wait(lambda: presence_is_right(fleet, users), "presence is right")
            for key in ("online_users", PRESENCE):
                failed = await asyncio.to_thread(fleet.redis.owner, key)
                failed.kill()
                await talk.progress(2)
                await wait(lambda: presence_is_right(fleet, users), f"presence is right without the node of {key}", 15)
                for server in fleet.servers:
                    await wait(partial(is_up, server), "every slot is served again")
                await talk.progress(2)

    asyncio.run(through())
    judge(fleet, talkers)


def test_a_slot_without_a_node(make_fleet, make_chat, room):
    """The service says so, and serves on, by the store where the cluster does not."""
    options = ["--cluster-require-full-coverage", "no"]
    fleet = make_fleet(ENVIRONMENT, make_redis=partial(RedisCluster, replicas=0, options=options))
    one, two = fleet.servers
    lost = next(node for node in fleet.redis.primaries if node is not fleet.redis.owner(PRESENCE))
    rooms = [f"{room}-{number}" for number in range(40)]
    served = next(name for name in rooms if fleet.redis.owner(f"chat:room:{name}") is not lost)
    unserved = next(name for name in rooms if fleet.redis.owner(f"chat:room:{name}") is lost)
    alice, bob = make_chat(one, "alice"), make_chat(two, "bob")
    for chat in (alice, bob):
        chat.join(served)
        chat.join(unserved)
    lost.kill()
    for server in fleet.servers:
        says_so = lambda s=server: dependency(s)["state"] == "degraded" and "are not served" in dependency(s)["lastError"]  # noqa: E731
        eventually(says_so, "it says so")
        assert server.get("/ready").status_code == 200
    assert alice.send(served, "at once")["seq"] == 1
    assert bob.expect("new_message")["message"] == "at once"
    for number in range(1, 4):
        assert alice.send(unserved, f"message {number}")["seq"] == number
        page = two.get(f"/api/chat/{unserved}/history").json()["messages"]
        assert [message["seq"] for message in page] == list(range(1, number + 1))
    assert online(one) == online(two) == 2
    lost.start()
    for server in fleet.servers:
        eventually(partial(is_up, server), "every slot is served again")
    for number in range(1, 4):
        assert bob.expect("new_message")["message"] == f"message {number}"
