"""A web server on a port of loopback that it keeps over stops and starts; what it answers is up to the test."""

import socket
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from support.server import free_port

# Status, fields, body.
Answer = tuple[int, dict[str, str], bytes]


@dataclass(frozen=True)
class Call:
    path: str
    # By names in lower case.
    fields: dict[str, str]
    body: bytes


class WebServer:
    def __init__(self):
        self.port = free_port()
        # Calls that hang wait for it.
        self.released = threading.Event()
        self._server: ThreadingHTTPServer | None = None
        self._connections: set[socket.socket] = set()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def respond(self, call: Call) -> Answer:
        """Runs on a thread for each connection."""
        raise NotImplementedError

    def start(self):
        web_server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()
                web_server._connections.add(self.connection)

            def finish(self):
                web_server._connections.discard(self.connection)
                super().finish()

            def do_GET(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                fields = {name.lower(): value for name, value in self.headers.items()}
                status, fields, answer = web_server.respond(Call(self.path, fields, body))
                try:
                    self.send_response(status)
                    for name, value in fields.items():
                        self.send_header(name, value)
                    if status != 204:
                        self.send_header("Content-Length", str(len(answer)))
                    self.end_headers()
                    self.wfile.write(answer)
                except OSError:
                    pass

            do_POST = do_GET

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_):
                pass

        self._server = Server(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def stop(self) -> None:
        self.released.set()
        if self._server:
            self._server.shutdown()
            self._server.server_close()
        self._server = None
        # Clients keep connections for their next calls.
        for connection in list(self._connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
