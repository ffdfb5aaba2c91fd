"""A relay before Redis that counts what the service sends, at the wire."""

import collections
import socket
import threading

from support.between import Between, shut


class RedisCounter(Between):
    """Counts the commands by name, and the writes that held them: several commands in one write cost one round trip."""

    def __init__(self, port: int):
        self.commands: collections.Counter[str] = collections.Counter()
        self.writes = 0
        self._lock = threading.Lock()
        super().__init__(port)

    def connect(self, client: socket.socket, server: socket.socket) -> None:
        threading.Thread(target=self._pass_commands, args=(client, server), daemon=True).start()
        threading.Thread(target=self._pass, args=(server, client, bytes), daemon=True).start()

    def _pass_commands(self, client: socket.socket, server: socket.socket) -> None:
        unread = b""
        try:
            while data := client.recv(1 << 20):
                server.sendall(data)
                names, unread = _taken(unread + data)
                with self._lock:
                    self.commands.update(names)
                    self.writes += 1
        except OSError:
            pass
        finally:
            for each in (client, server):
                shut(each)


def _taken(data: bytes) -> tuple[list[str], bytes]:
    """The names of the whole commands at the start, and what follows them."""
    names: list[str] = []
    begin = 0
    while (command := _command(data, begin)) is not None:
        name, begin = command
        names.append(name)
    return names, data[begin:]


def _command(data: bytes, begin: int) -> tuple[str, int] | None:
    """The name of the command that begins there, and where it ends; nothing when it is not whole.

    A command is an array of texts.
    """
    line = data.find(b"\r\n", begin)
    if line < 0:
        return None
    name, position = "", line + 2
    for argument in range(int(data[begin + 1 : line])):
        line = data.find(b"\r\n", position)
        if line < 0:
            return None
        count = int(data[position + 1 : line])
        if len(data) < line + 4 + count:
            return None
        if argument == 0:
            name = data[line + 2 : line + 2 + count].decode().upper()
        position = line + 4 + count
    return name, position
