"""Answers the management routes that list sessions, rooms and instances, in the shapes of the real ones.

It stands in for a server that does not have these routes yet; `conftest.py` says when.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TIME = "2026-11-29T15:00:00.000Z"


class StandIn:
    """An instance `a` with sessions in rooms."""

    def __init__(self, key: str):
        self.key = key
        self.instance = "a"
        self.is_draining = False
        self.sessions: list[dict[str, Any]] = []
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                stand_in._answer(self)

            do_POST = do_GET

            def log_message(self, *_: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def join(self, user: str, room: str) -> None:
        self.sessions.append(
            {"socketId": f"a-0-{len(self.sessions)}", "instance": "a", "userId": user, "username": user, "address": "127.0.0.1",
             "framing": "event", "userAgent": None, "connectedAt": TIME, "lastActivity": TIME, "queuedBytes": 0,
             "rooms": [room], "roomCount": 1}
        )  # fmt: skip

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        url = urlsplit(request.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if request.headers.get("X-Service-Key") != self.key:
            return self._send(request, 401, {"code": "unauthorized", "detail": "no such key", "success": False})
        match (request.command, url.path):
            case ("GET", "/internal/sessions"):
                found = [session for session in self.sessions if self._fits(session, query)]
                body = {"sessions": found[: int(query.get("limit", 50))], "total": len(found)}
            case ("GET", "/internal/rooms"):
                names = sorted({session["rooms"][0] for session in self.sessions if query.get("q", "") in session["rooms"][0]})
                rooms = [
                    {"roomId": name, "sessions": sum(name in session["rooms"] for session in self.sessions), "lastSeq": 0, "instances": ["a"]}
                    for name in names
                ]
                body = {"rooms": rooms, "total": len(rooms)}
            case ("GET", "/internal/stats"):
                body = {"timestamp": TIME, "online": len(self.sessions), "fleet": [self._figures()]}
            case ("POST", "/internal/drain"):
                if query.get("instance") != self.instance:
                    return self._send(request, 404, {"code": "not_found", "detail": "no such instance", "success": False})
                count = len(self.sessions)
                self.is_draining, self.sessions = True, []
                return self._send(request, 202, {"success": True, "instance": "a", "state": "draining", "sessions": count})
            case _:
                return self._send(request, 404, {"code": "not_found", "detail": "no such route", "success": False})
        self._send(request, 200, {"success": True, **body, "instances": ["a"], "unanswered": []})

    def _fits(self, session: dict[str, Any], query: dict[str, str]) -> bool:
        return (
            query.get("userId", session["userId"]) == session["userId"]
            and query.get("roomId", session["rooms"][0]) in session["rooms"]
            and query.get("instance", "a") == "a"
            and query.get("q", "") in session["userId"]
        )

    def _figures(self) -> dict[str, Any]:
        histogram = {"count": 2, "sumMs": 3.0, "bounds": [1, 2], "counts": [1, 1, 0]}
        return {
            "instance": "a", "version": "0.1.0", "startedAt": TIME, "draining": self.is_draining, "sessions": len(self.sessions),
            "rooms": len({session["rooms"][0] for session in self.sessions}), "connections": 0, "messages": 0, "deliveries": 0,
            "commands": 0, "refusals": 0, "requests": 0, "fanOut": histogram, "commit": histogram, "outbox": None, "webhooks": None,
            "slowSessions": 0, "memoryBytes": 1 << 24, "cpuSeconds": 1.5, "openFiles": 40,
            "dependencies": [{"name": "store", "state": "up", "since": TIME, "lastError": None, "required": True}],
        }  # fmt: skip

    def _send(self, request: BaseHTTPRequestHandler, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        request.wfile.write(data)
