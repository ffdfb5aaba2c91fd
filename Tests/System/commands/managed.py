"""A running server as the commands call it, with the service key in a file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from support.command import run
from support.server import Server

KEY = "key-of-the-operator-" + "k" * 32


@dataclass
class Managed:
    """A server that commands can call."""

    url: str
    instance: str
    directory: Path
    join: Callable[[str, str], object]
    server: Server

    def command(self, *arguments: str, **options):
        key = self.directory / "service.key"
        key.write_text(KEY + "\n")
        key.chmod(0o600)
        return run(self.directory, *arguments, "--server", self.url, "--service-key-file", str(key), **options)

    def trail(self, **query) -> list[dict]:
        """The audit trail, the newest entry first."""
        answer = self.server.get("/internal/audit", params=query, headers={"X-Service-Key": KEY})
        assert answer.status_code == 200, answer.text
        return answer.json()["entries"]

    def output(self, *arguments: str) -> str:
        """What a command that succeeds prints."""
        done = self.command(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout
