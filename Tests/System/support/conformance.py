"""The echo server on the service's own engine, to which RFC 6455 is put."""

import subprocess

from support.deadline import eventually
from support.server import binary, clean_environment, free_port
from support.wire import Wire

LIMIT = 16 << 20


class EchoServer:
    def __init__(self, log, *milliseconds: int):
        """`milliseconds`: between heartbeats, for their answers and for a CONNECT; none: as long as servers wait."""
        self.port = free_port()
        self.process = subprocess.Popen(
            [str(binary("conformance-server", "CONFORMANCE_SERVER_BINARY")), *map(str, (self.port, *milliseconds))],
            env=clean_environment({}),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        eventually(self._listens, "the echo server listens")

    def _listens(self) -> bool:
        assert self.process.poll() is None, "the echo server ended"
        try:
            Wire(self.port).socket.close()
        except ConnectionRefusedError:
            return False
        return True

    def open(self, **headers: str) -> Wire:
        return Wire(self.port).open("/echo", **headers)

    def stop(self) -> None:
        alive = self.process.poll() is None
        self.process.kill()
        self.process.wait()
        assert alive, "the echo server ended by itself"
