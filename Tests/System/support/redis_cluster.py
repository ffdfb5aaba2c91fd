"""Redis Cluster: real redis-servers, each a process of a test's own."""

from pathlib import Path
from typing import Callable, Sequence

import redis

from support.deadline import eventually
from support.server import free_port
from support.services import Redis

SLOTS = 16_384
# Milliseconds without an answer until a node counts as failed.
NODE_TIMEOUT = 1500


class Node(Redis):
    """One server of a cluster."""

    def __init__(self, directory: Path, options: Sequence[str] = ()):
        super().__init__(directory)
        self.bus_port = free_port()
        self.options = options

    def command(self) -> Sequence[str]:
        cluster = ["--cluster-enabled", "yes", "--cluster-port", str(self.bus_port), "--cluster-config-file", "nodes.conf"]
        timing = ["--cluster-node-timeout", str(NODE_TIMEOUT), "--repl-diskless-sync-delay", "0"]
        return [*super().command(), *cluster, *timing, *self.options]

    def run(self, *words) -> str:
        with self.client() as client:
            return client.execute_command(*words)

    @property
    def id(self) -> str:
        return self.run("CLUSTER", "MYID")


class RedisCluster:
    """Primaries that share the slots, each with a replica. Keeps nothing over restarts."""

    def __init__(self, directory: Path, primaries: int = 3, replicas: int = 1, options: Sequence[str] = ()):
        """`replicas`: of each primary."""
        self.primaries = [Node(directory / f"primary-{n}", options) for n in range(primaries)]
        self.replicas = [Node(directory / f"replica-{n}", options) for n in range(primaries * replicas)]

    @property
    def nodes(self) -> list[Node]:
        return self.primaries + self.replicas

    @property
    def url(self) -> str:
        return "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in self.primaries)

    def start(self, wait: bool = True) -> "RedisCluster":
        for node in self.nodes:
            node.start(wait=False)
        if wait:
            self.wait_until_ready()
        return self

    def wait_until_ready(self) -> None:
        """Joins the nodes, shares out the slots, and waits until every node serves."""
        for number, node in enumerate(self.nodes, 1):
            node.wait_until_ready()
            node.run("CLUSTER", "SET-CONFIG-EPOCH", number)
        count = len(self.primaries)
        for number, node in enumerate(self.primaries):
            node.run("CLUSTER", "ADDSLOTSRANGE", SLOTS * number // count, SLOTS * (number + 1) // count - 1)
        first = self.nodes[0]
        for node in self.nodes[1:]:
            first.run("CLUSTER", "MEET", "127.0.0.1", node.port, node.bus_port)
        eventually(lambda: all(self._knows_all(node) for node in self.nodes), "every node knows the others")
        for number, replica in enumerate(self.replicas):
            replica.run("CLUSTER", "REPLICATE", self.primaries[number % count].id)
        eventually(lambda: all(self._is_serving(node) for node in self.nodes), "the cluster serves")

    @staticmethod
    def _info(node: Node) -> dict[str, str]:
        info = node.run("CLUSTER", "INFO")
        return info if isinstance(info, dict) else dict(line.split(":") for line in info.split())

    def _knows_all(self, node: Node) -> bool:
        return self._info(node)["cluster_known_nodes"] == str(len(self.nodes))

    def _is_serving(self, node: Node) -> bool:
        if self._info(node)["cluster_state"] != "ok":
            return False
        return node in self.primaries or node.client().info("replication")["master_link_status"] == "up"

    def kill(self) -> None:
        for node in self.nodes:
            node.kill()

    def client(self) -> redis.RedisCluster:
        """The cluster as another program sees it."""
        running = next(node for node in self.nodes if node.process is not None)
        return redis.RedisCluster(host="127.0.0.1", port=running.port, decode_responses=True)

    def owner(self, key: str) -> Node:
        """The node that serves a key."""
        with self.client() as client:
            port = client.get_node_from_key(key).port
        return next(node for node in self.nodes if node.port == port)

    def move_slot(self, key: str, target: Node, halfway: Callable[[], None] = lambda: None) -> None:
        """Moves the slot of a key as `redis-cli --cluster reshard` does.

        `halfway` is called while the slot belongs to both.
        """
        source = self.owner(key)
        slot = source.run("CLUSTER", "KEYSLOT", key)
        source_id, target_id = source.id, target.id
        target.run("CLUSTER", "SETSLOT", slot, "IMPORTING", source_id)
        source.run("CLUSTER", "SETSLOT", slot, "MIGRATING", target_id)
        halfway()
        while keys := source.run("CLUSTER", "GETKEYSINSLOT", slot, 10):
            source.run("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *keys)
        others = [node for node in self.primaries if node not in (source, target) and node.process is not None]
        for node in (target, source, *others):
            node.run("CLUSTER", "SETSLOT", slot, "NODE", target_id)
