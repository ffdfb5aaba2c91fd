"""A collector of traces that takes OTLP over HTTP in JSON, as an OpenTelemetry collector does."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from support.server import free_port


class Collector:
    """Keeps its port and what it has taken over stops and starts. `statuses` are the answers of the next requests."""

    def __init__(self):
        self.port = free_port()
        self.requests: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.statuses: list[int] = []
        self.attempts = 0
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> "Collector":
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.attempts += 1
                status = collector.statuses.pop(0) if collector.statuses else 200
                if status == 200:
                    fields = {name.lower(): value for name, value in self.headers.items()}
                    collector.requests.append((self.path, fields, json.loads(body)))
                self.send_response(status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def stop(self) -> None:
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def spans(self) -> list[dict[str, Any]]:
        """All spans, each with its resource's attributes under `resource` and its own under `attributes`."""
        found = []
        for _, _, body in list(self.requests):
            for resource in body["resourceSpans"]:
                names = _attributes(resource["resource"])
                for scope in resource["scopeSpans"]:
                    for span in scope["spans"]:
                        found.append({**span, "resource": names, "attributes": _attributes(span)})
        return found

    def of_trace(self, trace: str) -> dict[str, dict[str, Any]]:
        """The spans of a trace by their names."""
        return {span["name"]: span for span in self.spans() if span["traceId"] == trace}


def _attributes(of: dict[str, Any]) -> dict[str, str]:
    return {each["key"]: each["value"]["stringValue"] for each in of["attributes"]}
