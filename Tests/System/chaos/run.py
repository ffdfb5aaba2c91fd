"""One run: a deployment, its clients and its faults, then rest, and what was found."""

import asyncio
import random
from pathlib import Path

from chaos.client import Client
from chaos.deployment import Deployment
from chaos.faults import Faults
from chaos.findings import REST_SECONDS, Consumer, Findings
from chaos.history import History, Request
from chaos.machine import watch_machine, watch_store
from chaos.plan import Command, Plan
from chaos.rest import Rest
from chaos.session import RETRY_SECONDS


class Run:
    """Does what a plan says; logs and data stay in `directory`. `history` holds what happened, also when it fails."""

    def __init__(self, plan: Plan, directory: Path):
        self.plan = plan
        self.history = History(seed=plan.seed)
        self.deployment = Deployment(directory, plan.size, self.history)
        self._expelling: set[asyncio.Task] = set()
        self._absent: set[tuple[str, str]] = set()

    async def run(self) -> None:
        self.rest = Rest(self.deployment.ports)
        consumer = Consumer(self.deployment)
        background: list[asyncio.Task] = []
        self.clients: list[Client] = []
        try:
            await self.deployment.start()
            await self._make_rooms()
            watchers = (
                self.deployment.watch(),
                self.deployment.keep_metrics(),
                consumer.run(),
                watch_machine(self.history),
                watch_store(self.history, self.deployment),
            )
            background += [asyncio.create_task(each) for each in watchers]
            self.clients = [
                Client(each, self.deployment.ports, self.rest, self.history, self.plan.seed, self._expel)
                for each in self.plan.clients
            ]
            self.history.__post_init__()
            async with asyncio.TaskGroup() as group:
                group.create_task(Faults(self.deployment, self.history).run(self.plan.faults))
                for client in self.clients:
                    group.create_task(client.run())
            await asyncio.gather(*self._expelling)
            self.history.rested_at = self.history.now()
            findings = Findings(self.deployment, self.history, self.clients, self.rest, consumer)
            await findings.wait_for_rest()
            await findings.collect()
        finally:
            background += self._expelling
            for task in background:
                task.cancel()
            await asyncio.gather(*background, *(client.session.stop() for client in self.clients), return_exceptions=True)
            await self.rest.close()
            await self.deployment.stop()

    async def _make_rooms(self) -> None:
        for room in self.plan.rooms:
            body = {"roomId": room.name, "private": room.is_private, "participants": list(room.participants)}
            answer = await self.rest.call(0, "POST", "/api/rooms", room.owner, body)
            assert isinstance(answer, dict) and answer.get("success"), answer
            self.history.owners[room.name] = room.owner
            # Open rooms begin with their owner: the others become participants as they join.
            self.history.founders[room.name] = sorted({room.owner, *room.participants})
            if room.is_private:
                self.history.private_rooms.append(room.name)

    # Participants

    async def _expel(self, owner: str, command: Command) -> None:
        task = asyncio.create_task(self._remove_and_add(owner, command))
        self._expelling.add(task)
        task.add_done_callback(self._expelling.discard)
        await asyncio.shield(task)

    async def _remove_and_add(self, owner: str, command: Command) -> None:
        room = next(each for each in self.plan.rooms if each.name == command.room)
        chance = random.Random(f"{self.plan.seed}/{command.at}/{owner}")
        target = chance.choice([user for user in room.participants if user != owner])
        if (room.name, target) in self._absent:
            return
        self._absent.add((room.name, target))
        await self._until_done("remove_participant", "DELETE", owner, room.name, target, command.instance)
        await asyncio.sleep(chance.uniform(0.2, 4))
        await self._until_done("add_participant", "PUT", owner, room.name, target, chance.randrange(self.plan.size.instances))
        for client in self.clients:
            if client.plan.user == target:
                client.did_get_access(room.name)
        self._absent.discard((room.name, target))

    async def _until_done(self, kind: str, method: str, owner: str, room: str, target: str, instance: int) -> None:
        give_up = self.plan.size.seconds + REST_SECONDS
        is_repeat = False
        while self.history.now() < give_up:
            request = Request(owner, owner, None, instance, kind, room, self.history.now(), target)
            self.history.requests.append(request)
            answer = await self.rest.call(instance, method, f"/api/rooms/{room}/participants/{target}", owner)
            request.ended_at = self.history.now()
            if isinstance(answer, str):
                request.outcome = answer
            elif answer.get("success"):
                request.outcome = "ok"
                return
            else:
                request.outcome = "refused"
                request.code, request.is_retryable = answer["error"]["code"], answer["error"]["retryable"]
                if request.code == "not_found" and is_repeat:
                    # An earlier attempt, whose outcome was unknown, removed the user.
                    request.outcome = "ok"
                    return
            is_repeat = True
            instance = (instance + 1) % self.plan.size.instances
            await asyncio.sleep(RETRY_SECONDS)
