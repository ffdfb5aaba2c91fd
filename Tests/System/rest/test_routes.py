"""Every route of the table in docs/protocol.md: its methods, HEAD, OPTIONS, and the callers it refuses."""

import re
from dataclasses import dataclass

import pytest

from support.server import ROOT

KEY = "a service key of a test"
ENVIRONMENT = {"SERVICE_API_KEY": KEY, "CORS_ORIGIN": "https://chat.example.com"}
SERVICE = {"X-Service-Key": KEY, "X-User-Id": "ada"}
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
UNKNOWN_METHODS = ["BREW", "TRACE"]
# Parameters that are no ids of any text.
SPECIAL = {"messageId": "0123456789abcdef01234567", "emoji": ":wave:"}


@dataclass(frozen=True)
class Route:
    method: str
    pattern: str
    callers: str

    @property
    def path(self) -> str:
        """A path that the pattern matches, with values that its parameters take."""
        return re.sub(r":(\w+)", lambda name: SPECIAL.get(name[1], f"some-{name[1].lower()}"), self.pattern)


def documented() -> list[Route]:
    routes = []
    for line in (ROOT / "docs" / "protocol.md").read_text().splitlines():
        call = re.match(r"\| `([A-Z]+) (/[^?`]*)[^`]*`(?:, also `([^`]+)`)? \|", line)
        if call and len(cells := [cell.strip() for cell in line.strip("|").split(" | ")]) == 7:
            routes += [Route(call[1], pattern, cells[2]) for pattern in call.groups()[1:] if pattern]
    return routes


ROUTES = documented()
PATHS = {route.path: [other.method for other in ROUTES if other.path == route.path] for route in ROUTES}


def taken(path: str) -> list[str]:
    """The methods that the path takes, in the order of `Allow`."""
    return [method for method in METHODS if ("GET" if method == "HEAD" else method) in PATHS[path]]


def named(route: Route) -> str:
    return f"{route.method} {route.pattern}"


def test_the_table_is_read():
    assert len(ROUTES) >= 20 and Route("GET", "/health", "everyone") in ROUTES
    assert taken("/api/rooms") == ["GET", "HEAD", "POST"]
    assert len(PATHS["/chat/some-roomid/history"]) == 1


@pytest.mark.parametrize("route", ROUTES, ids=named)
def test_documented_calls_are_there(shared, route):
    answer = shared.request(route.method, route.path, headers=SERVICE, data=b"")
    assert answer.status_code != 405
    assert answer.status_code != 404 or answer.json()["detail"] != "there is nothing at this path"


@pytest.mark.parametrize("path", PATHS)
def test_other_methods_are_answered_with_the_allowed_ones(shared, path):
    for method in METHODS + UNKNOWN_METHODS:
        if method in taken(path):
            continue
        answer = shared.request(method, path, headers=SERVICE)
        assert answer.status_code == 405, method
        assert answer.headers["Allow"] == ", ".join(taken(path)), method
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert method == "HEAD" or answer.json()["code"] == "method_not_allowed"


@pytest.mark.parametrize("path", [*(path for path, methods in PATHS.items() if "GET" in methods), "/nowhere"])
def test_head_is_get_without_a_body(shared, wire, path):
    whole = shared.get(path, headers=SERVICE)
    fields = "".join(f"{name}: {value}\r\n" for name, value in SERVICE.items())
    connection = wire()
    head = connection.ask(f"HEAD {path} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n", is_head=True)
    assert head.status == whole.status_code
    assert set(head.headers) == {name.lower() for name in whole.headers}
    assert head.headers["content-type"] == whole.headers["Content-Type"]
    if path not in ("/metrics", "/internal/stats"):  # Their numbers grow with every request.
        assert head.headers["content-length"] == whole.headers["Content-Length"]
    health = connection.ask("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert health.json()["status"] == "ok", "no byte of a body came between the answers"


@pytest.mark.parametrize("path", [*PATHS, "/nowhere"])
def test_options_is_answered_on_every_path(shared, path):
    answer = shared.request("OPTIONS", path, headers={"Origin": "https://chat.example.com", "Access-Control-Request-Method": "PUT"})
    assert answer.status_code == 204 and answer.content == b""
    assert "PUT" in answer.headers["Access-Control-Allow-Methods"]


@pytest.mark.parametrize("route", ROUTES, ids=named)
def test_callers_are_refused_as_documented(shared, route):
    """The shared server is in trusted mode with PRESENCE_PUBLIC off."""

    def status(headers):
        body = None if route.method == "GET" else {}
        return shared.request(route.method, route.path, headers=headers, json=body).status_code

    nameless, user, service = status({}), status({"X-User-Id": "ada"}), status({"X-Service-Key": KEY})
    assert (nameless == 401) == (route.callers in {"viewers", "users", "users, services", "services"})
    assert (user == 401) == (route.callers == "services")
    assert (service == 401) == (route.callers == "users")


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/chat/x/read-marks"), ("POST", "/chat/x/messages"), ("GET", "/rooms"), ("GET", "/health/"), ("GET", "/api"),
     ("GET", "//health"), ("GET", "/api/rooms/x/participants"), ("PUT", "/api/rooms/x/others/y"), ("POST", "/internal")],
)  # fmt: skip
def test_other_paths_are_not_found(shared, method, path):
    answer = shared.request(method, path, headers=SERVICE)
    assert answer.status_code == 404 and answer.json()["code"] == "not_found" and "Allow" not in answer.headers
