"""An operator with the service key, who asks one instance about all of them."""

import base64
import hashlib
import hmac
import json
import time

import requests

from support.deadline import eventually
from support.server import ROOT, Server

KEY = "a service key of the tests of management"
SECRET = "a secret of the tests of management, long enough"
ENVIRONMENT = {"SERVICE_API_KEY": KEY, "AUTH_MODE": "trusted", "ADMIN_DIR": str(ROOT / "admin-page"), "ADMIN": "on"}


class Operator:
    def __init__(self, server: Server, headers: dict[str, str] | None = None):
        self.server = server
        self.headers = headers or {"X-Service-Key": KEY, "X-User-Id": "olga"}

    def call(self, method: str, path: str, **query) -> requests.Response:
        return self.server.request(method, path, params=query, headers=self.headers)

    def get(self, path: str, **query) -> dict:
        answer = self.call("GET", path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def sessions(self, **query) -> list[dict]:
        return self.get("/internal/sessions", **query)["sessions"]

    def users(self, **query) -> list[str]:
        return [session["userId"] for session in self.sessions(**query)]

    def stats(self, instance: str) -> dict:
        return next(each for each in self.get("/internal/stats")["fleet"] if each["instance"] == instance)

    def entries(self, **query) -> list[dict]:
        """The audit trail, the newest entry first."""
        return self.get("/internal/audit", **query)["entries"]

    def wait_for_entry(self, action: str, **query) -> dict:
        """The newest entry of an act that may still be on its way to the store."""
        return eventually(lambda: self.entries(action=action, **query), f"the trail has {action}")[0]


def token_for(user: str, *roles: str) -> str:
    """An HS256 token as an identity provider would sign it."""

    def part(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    claims = {"sub": user, "exp": int(time.time()) + 600, "roles": list(roles)}
    signed = ".".join(part(json.dumps(item).encode()) for item in ({"alg": "HS256", "typ": "JWT"}, claims))
    return f"{signed}.{part(hmac.digest(SECRET.encode(), signed.encode(), hashlib.sha256))}"
