"""A primary of Redis, its replica, and sentinels that watch them, as processes of a test's own."""

from pathlib import Path
from typing import Sequence

from support.deadline import eventually
from support.services import Redis, RedisProgram

NAME = "chat-primary"
# Milliseconds after which a silent primary counts as dead. Short, so that tests do not wait; a busy machine is slow to answer.
DOWN_AFTER = 2000


class Sentinel(RedisProgram):
    """A sentinel that watches one primary under one name."""

    def __init__(
        self,
        directory: Path,
        primary: int,
        *,
        quorum: int = 2,
        password: str | None = None,
        settings: Sequence[str] = (),
    ):
        """`primary`: the port of the server that is the primary at the start. `settings`: further lines of the configuration."""
        super().__init__(directory, password)
        lines = [
            f"port {self.port}",
            "bind 127.0.0.1",
            f"sentinel monitor {NAME} 127.0.0.1 {primary} {quorum}",
            f"sentinel down-after-milliseconds {NAME} {DOWN_AFTER}",
            f"sentinel failover-timeout {NAME} 10000",
            *settings,
        ]
        if password:
            lines.append(f"requirepass {password}")
        # The sentinel writes what it learns into this file.
        (self.directory / "sentinel.conf").write_text("\n".join(lines) + "\n")

    def command(self) -> Sequence[str]:
        return ["redis-server", str(self.directory / "sentinel.conf"), "--sentinel"]

    def primary(self) -> int:
        """The port of the server that this sentinel names."""
        with self.client() as client:
            return int(client.execute_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME)[1])

    def details(self) -> dict[str, str]:
        with self.client() as client:
            return client.execute_command("SENTINEL", "MASTER", NAME)


class WatchedRedis:
    """Two servers, a primary and its replica at the start, and three sentinels."""

    def __init__(self, directory: Path):
        # Without the delay a replica waits seconds before it is brought up to date.
        options = ["--repl-diskless-sync-delay", "0"]
        first = Redis(directory / "first", options=options)
        second = Redis(directory / "second", options=[*options, "--replicaof", "127.0.0.1", str(first.port)])
        self.servers = [first, second]
        self.sentinels = [Sentinel(directory / f"sentinel-{number}", first.port) for number in (1, 2, 3)]

    def start(self) -> "WatchedRedis":
        for service in [*self.servers, *self.sentinels]:
            service.start(wait=False)
        for service in [*self.servers, *self.sentinels]:
            service.wait_until_ready()
        self.wait_until_ready_for_fail_over()
        return self

    def stop(self) -> None:
        for service in [*self.sentinels, *self.servers]:
            service.kill()

    def url(self, name: str = NAME, sentinels: Sequence[Sentinel] | None = None, query: str = "") -> str:
        hosts = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in sentinels or self.sentinels)
        return f"redis+sentinel://{hosts}/{name}{query}"

    def primary(self) -> Redis:
        """The server that the sentinels name."""
        port = self.sentinels[0].primary()
        return next(server for server in self.servers if server.port == port)

    def replica(self) -> Redis:
        port = self.sentinels[0].primary()
        return next(server for server in self.servers if server.port != port)

    def fail_over(self) -> None:
        """Has a sentinel make the replica the primary. The old primary is reachable all the time."""
        with self.sentinels[0].client() as client:
            client.execute_command("SENTINEL", "FAILOVER", NAME)

    def wait_until_ready_for_fail_over(self) -> None:
        """The replica is up to date, and every sentinel knows it and the other sentinels."""

        def is_ready() -> bool:
            with self.replica().client() as client:
                replication = client.info("replication")
            if replication["role"] != "slave" or replication["master_link_status"] != "up":
                return False
            for sentinel in self.sentinels:
                details = sentinel.details()
                if details["flags"] != "master" or (details["num-slaves"], details["num-other-sentinels"]) != ("1", "2"):
                    return False
                with sentinel.client() as client:
                    replicas = client.execute_command("SENTINEL", "REPLICAS", NAME)
                if [replica["flags"] for replica in replicas] != ["slave"]:
                    return False
            return True

        eventually(is_ready, "the sentinels know the primary, its replica and each other")
