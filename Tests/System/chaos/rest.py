"""REST calls of the run's users."""

import asyncio
from typing import Any

import aiohttp


class Rest:
    """Calls instances by number; all calls share a pool of connections."""

    def __init__(self, ports: list[int]):
        self._ports = ports
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20))

    async def call(
        self, instance: int, method: str, path: str, user: str, body: dict[str, Any] | None = None
    ) -> dict[str, Any] | str:
        """The answer, as over a socket: `success`, or `error` with its code. "lost" without an answer, "unanswered" when none
        came in time."""
        url = f"http://127.0.0.1:{self._ports[instance]}{path}"
        try:
            async with self._session.request(method, url, json=body, headers={"X-User-Id": user}) as response:
                answer = await response.json(content_type=None)
        except (asyncio.TimeoutError, TimeoutError):
            return "unanswered"
        except (aiohttp.ClientError, OSError, ValueError):
            return "lost"
        if isinstance(answer, dict) and answer.get("success") is False:
            return {"success": False, "error": {"code": answer.get("code"), "retryable": answer.get("retryable")}}
        return answer if isinstance(answer, dict) else {"success": True, "data": answer}

    async def close(self) -> None:
        await self._session.close()
