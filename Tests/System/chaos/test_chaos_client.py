"""A client ends what it sends before the store is read, so that nothing is acknowledged behind the judge's back."""

import asyncio
from typing import Any

import pytest

from chaos import client as module
from chaos.client import Client
from chaos.history import History
from chaos.plan import ClientPlan, Command

ROOM = "open-0"
REFUSAL = {"success": False, "error": {"code": "overloaded", "retryable": True}}


class Rest:
    """Answers each request when it is told to."""

    def __init__(self) -> None:
        self.requests: list[asyncio.Future[dict[str, Any]]] = []

    async def call(self, *_: Any) -> dict[str, Any]:
        self.requests.append(asyncio.get_running_loop().create_future())
        return await self.requests[-1]

    async def until_asked(self, times: int) -> None:
        async with asyncio.timeout(5):
            while len(self.requests) < times:
                await asyncio.sleep(0.01)


def make_client(rest: Rest, *commands: Command) -> Client:
    plan = ClientPlan("a", "alice", "event", 0, (ROOM,), True, commands)

    async def expel(owner: str, command: Command) -> None: ...

    # The client never connects: the port is never used.
    client = Client(plan, [0], rest, History(seed=1), 1, expel)  # type: ignore[arg-type]
    for command in commands:
        client._perform(command)
    return client


@pytest.mark.parametrize("answer", [REFUSAL, {"success": True, "messageId": "id", "seq": 1}])
def test_an_attempt_under_way_ends_and_none_begins_after_it(answer):
    async def check() -> None:
        rest = Rest()
        client = make_client(rest, Command(0, "send_over_rest", ROOM))
        await rest.until_asked(1)
        rest.requests[0].set_result(REFUSAL)
        await rest.until_asked(2)
        stopping = asyncio.create_task(client.stop_trying())
        await asyncio.sleep(0)
        assert not stopping.done(), "the answer to come may be an acknowledgement"
        rest.requests[1].set_result(answer)
        await asyncio.wait_for(stopping, 5)
        assert len(rest.requests) == 2
        assert [each.outcome for each in client._history.attempts] == ["refused", "acked" if answer["success"] else "refused"]
        assert len(client.pending) == (0 if answer["success"] else 1)

    asyncio.run(check())


def test_a_message_that_waits_for_a_join_is_not_sent_any_more(monkeypatch):
    monkeypatch.setattr(module, "ANSWER_SECONDS", -module.RETRY_SECONDS - 0.9)

    async def check() -> None:
        client = make_client(Rest(), Command(0, "send", ROOM))
        await asyncio.sleep(0)
        await asyncio.wait_for(client.stop_trying(), 5)
        client.session.rooms[ROOM].joined.set()
        await asyncio.sleep(0.05)
        assert client._history.attempts == [] and len(client.pending) == 1

    asyncio.run(check())
