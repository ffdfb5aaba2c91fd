"""A TCP proxy on loopback, between the service and a server it uses."""

import socket
import threading

from support.server import free_port


class Between:
    """Passes bytes on to a server. Where new connections go can be changed, and all can be cut."""

    def __init__(self, port: int):
        """`port`: the server's."""
        self.port = free_port()
        self.target = port
        self._is_cut = False
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def change(self, data: bytes) -> bytes:
        """What the server gets for what the service sent."""
        return data

    def cut(self) -> None:
        """Ends all connections; new ones end at once, until `mend`."""
        self._is_cut = True
        self._end_all()

    def mend(self) -> None:
        self._is_cut = False

    def close(self) -> None:
        self.cut()
        self._listener.close()

    def _end_all(self) -> None:
        sockets, self._sockets = self._sockets, []
        for each in sockets:
            shut(each)
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                client.close()
                continue
            self._sockets += [client, server]
            if self._is_cut:
                self._end_all()
                continue
            self.connect(client, server)

    def connect(self, client: socket.socket, server: socket.socket) -> None:
        """Passes bytes on in both directions, on threads of the connection's own."""
        threading.Thread(target=self._pass, args=(client, server, self.change), daemon=True).start()
        threading.Thread(target=self._pass, args=(server, client, bytes), daemon=True).start()

    @staticmethod
    def _pass(source: socket.socket, sink: socket.socket, change) -> None:
        try:
            while data := source.recv(1 << 20):
                sink.sendall(change(data))
        except OSError:
            pass
        finally:
            for each in (source, sink):
                shut(each)


def shut(each: socket.socket) -> None:
    try:
        each.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
