"""One authenticated connection that comes back, in event frames over a WebSocket."""

import asyncio
import inspect
import itertools
import json
from typing import Any, Awaitable, Callable

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from .backoff import Backoff
from .errors import RequestError, advice_for

# Seconds that a request may stay unanswered, and that a connection may take to open.
_REPLY_TIMEOUT = 10.0
_OPEN_TIMEOUT = 20.0

GetToken = Callable[[], str | Awaitable[str]]


class Identity:
    """A token, or a claim that servers in trusted mode accept."""

    def __init__(self, user_id: str | None, username: str | None, token: str | None, get_token: GetToken | None):
        self.user_id, self.username, self.token = user_id, username, token
        self._get_token = get_token

    @property
    def is_renewable(self) -> bool:
        return self._get_token is not None

    async def renew(self) -> None:
        assert self._get_token is not None
        try:
            token = self._get_token()
            self.token = await token if inspect.isawaitable(token) else token
        except Exception as error:
            raise RequestError("token_unavailable", f"No token: {error}", retryable=True) from error

    @property
    def claim(self) -> dict[str, Any]:
        if self.token is not None:
            return {"token": self.token}
        return {"userId": self.user_id, "username": self.username or self.user_id}


class Connection:
    """Runs until it is stopped or the server asks not to come back.

    `on_session(answer)`, `on_event(name, data)` and `on_state(state, error)` are called on the event loop. States are
    `connecting`, `online`, `waiting`, `stopped`.
    """

    def __init__(
        self,
        url: str,
        identity: Identity,
        on_session: Callable[[dict[str, Any]], None],
        on_event: Callable[[str, Any], None],
        on_state: Callable[[str, RequestError | None], None],
    ):
        self._url = url.replace("http", "ws", 1).rstrip("/") + "/"
        self._identity = identity
        self._on_session, self._on_event, self._on_state = on_session, on_event, on_state
        self._socket: ClientConnection | None = None
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._ids = itertools.count(1)
        self._backoff = Backoff()
        self._drain_hint: float | None = None
        self._has_renewed = False
        self._renewal: asyncio.Task[None] | None = None
        self.is_online = False

    async def emit(self, event: str, data: dict[str, Any] | None = None) -> Any:
        """Sends one event; gives the server's answer, or raises a `RequestError`."""
        if not self.is_online:
            raise RequestError.connection_lost()
        return await self._request(event, data)

    async def run(self) -> None:
        while True:
            self._on_state("connecting", None)
            advice, error = await self._attempt()
            if advice == "sign_in" and self._identity.is_renewable and not self._has_renewed:
                self._has_renewed, self._identity.token = True, None
                continue
            if advice in ("stop", "sign_in"):
                self._on_state("stopped", error)
                return
            delay = max(error.retry_after, self._backoff.next(slow=advice == "slow"))
            delay, self._drain_hint = self._drain_hint or delay, None
            self._on_state("waiting", error)
            await asyncio.sleep(delay)

    async def _attempt(self) -> tuple[str, RequestError]:
        """One connection from its beginning to its end; what its end asks for."""
        try:
            if self._identity.token is None and self._identity.is_renewable:
                await self._identity.renew()
            async with connect(self._url, open_timeout=_OPEN_TIMEOUT, max_size=2**24) as socket:
                return await self._serve(socket)
        except RequestError as error:
            if error.retryable:
                return "retry", error
            return "sign_in" if error.code == "unauthorized" else "stop", error
        except (OSError, TimeoutError, WebSocketException) as error:
            return "retry", RequestError("network", f"The server cannot be reached: {error}", retryable=True)

    async def _serve(self, socket: ClientConnection) -> tuple[str, RequestError]:
        self._socket = socket
        reading = asyncio.create_task(self._read(socket))
        try:
            session = await self._request("authenticate", self._identity.claim)
            self._backoff.reset()
            self._has_renewed, self.is_online = False, True
            self._on_state("online", None)
            self._on_session(session)
            await reading
        finally:
            self.is_online, self._socket = False, None
            reading.cancel()
        code = socket.close_code or 1006
        return advice_for(code), RequestError(f"closed_{code}", socket.close_reason or "The connection was closed.")

    async def _request(self, event: str, data: dict[str, Any] | None = None) -> Any:
        if self._socket is None:
            raise RequestError.connection_lost()
        id = next(self._ids)
        reply: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[id] = reply
        try:
            await self._socket.send(json.dumps({"event": event, "data": data or {}, "id": id}))
            async with asyncio.timeout(_REPLY_TIMEOUT):
                answer = await reply
        except ConnectionClosed as error:
            raise RequestError.connection_lost() from error
        except TimeoutError as error:
            raise RequestError("timeout", f"The server did not answer {event} in time.", retryable=True) from error
        finally:
            self._waiting.pop(id, None)
        if isinstance(answer, dict) and answer.get("success") is False:
            raise RequestError.refusal(answer.get("error") or {})
        return answer

    async def _read(self, socket: ClientConnection) -> None:
        """Ends with the connection."""
        try:
            async for text in socket:
                frame = json.loads(text)
                if frame.get("event") == "ack":
                    reply = self._waiting.get(frame["id"])
                    if reply and not reply.done():
                        reply.set_result(frame.get("data"))
                else:
                    self._receive(frame["event"], frame.get("data"))
        except ConnectionClosed:
            pass
        finally:
            self.is_online = False
            for reply in self._waiting.values():
                if not reply.done():
                    reply.set_exception(RequestError.connection_lost())

    def _receive(self, event: str, data: Any) -> None:
        if event == "server_draining":
            self._drain_hint = (data.get("reconnectInMs") or 0) / 1000
        if event == "token_expiring" and self._identity.is_renewable:
            self._renewal = asyncio.create_task(self._renew())
        self._on_event(event, data)

    async def _renew(self) -> None:
        """A renewal that fails is made up for after the server has closed the connection with 4401."""
        try:
            await self._identity.renew()
            await self._request("authenticate", self._identity.claim)
        except RequestError:
            pass
