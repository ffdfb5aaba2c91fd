"""The calls over REST, in threads: history, rooms, search, files."""

import asyncio
import json
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import quote, urlencode

from .connection import Identity
from .errors import RequestError

# Seconds that a call may take.
_TIMEOUT = 60.0


class Rest:
    def __init__(self, url: str, identity: Identity):
        self._url = url.rstrip("/")
        self._identity = identity

    async def rooms(self, cursor: str | None = None) -> dict[str, Any]:
        """A page of the user's rooms, those with the latest messages first."""
        return await self.call("GET", "/api/rooms", query={"cursor": cursor})

    async def create_room(self, **fields: Any) -> dict[str, Any]:
        return (await self.call("POST", "/api/rooms", body=fields))["room"]

    async def history(self, room_id: str, **query: Any) -> dict[str, Any]:
        """A page of the room's messages; `before`, `after` and `around` are numbers of messages."""
        return await self.call("GET", f"/api/chat/{_path(room_id)}/history", query=query)

    async def search(self, q: str, **query: Any) -> dict[str, Any]:
        """Messages with these words: `results`, and a `cursor` when there are more; it is the next page's `before`."""
        return await self.call("GET", "/api/search", query={"q": q, **query})

    async def upload(self, room_id: str, name: str, content: bytes, content_type: str = "application/octet-stream") -> dict[str, Any]:
        """Puts a file into the room. A message refers to it with `metadata={"file": {"fileId": …}}`."""
        path = f"/api/chat/{_path(room_id)}/files?{urlencode({'name': name})}"
        return json.loads(await asyncio.to_thread(self._send, "POST", path, content, {"Content-Type": content_type}))

    async def download(self, file_id: str, name: str = "file") -> bytes:
        return await asyncio.to_thread(self._send, "GET", f"/api/files/{_path(file_id)}/{_path(name)}")

    async def call(self, method: str, path: str, query: dict[str, Any] | None = None, body: Any = None) -> Any:
        """Any call of the protocol. Parameters that are None are left out."""
        given = {name: value for name, value in (query or {}).items() if value is not None}
        address = path + (f"?{urlencode(given)}" if given else "")
        data = None if body is None else json.dumps(body).encode()
        fields = {} if body is None else {"Content-Type": "application/json"}
        return json.loads(await asyncio.to_thread(self._send, method, address, data, fields))

    def _send(self, method: str, path: str, body: bytes | None = None, fields: dict[str, str] | None = None) -> bytes:
        address, identity = self._url + path, self._identity
        headers = dict(fields or {})
        if identity.token is not None:
            headers["Authorization"] = f"Bearer {identity.token}"
        elif identity.user_id is not None and identity.user_id.isascii():
            headers["X-User-Id"] = identity.user_id
        elif identity.user_id is not None:
            address += ("&" if "?" in path else "?") + urlencode({"userId": identity.user_id})
        request = urllib.request.Request(address, data=body, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT) as response:
                return response.read()
        except urllib.error.HTTPError as error:
            raise _problem(error) from error
        except OSError as error:
            raise RequestError("network", f"The server cannot be reached: {error}", retryable=True) from error


def _path(part: str) -> str:
    return quote(part, safe="")


def _problem(error: urllib.error.HTTPError) -> RequestError:
    """The refusal in an answer, a problem document (RFC 9457)."""
    try:
        document = json.loads(error.read())
    except ValueError:
        document = {}
    text = document.get("detail") or f"The server answered {error.code}."
    wait = error.headers.get("Retry-After", "0")
    return RequestError(
        document.get("code") or str(error.code), text, bool(document.get("retryable")), float(wait) if wait.isdigit() else 0
    )
