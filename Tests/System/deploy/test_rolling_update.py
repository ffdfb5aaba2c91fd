"""Kubernetes replaces the pods of a fleet one after the other, behind the balancer of the manifests."""

import asyncio
import json
from pathlib import Path
from typing import Iterator

import pytest
import requests
from balancer import ADDRESSES, NAMESPACE, Balancer, Pod
from support.deadline import TIMEOUT_SECONDS, eventually
from support.fleet import Fleet
from support.server import free_port
from support.talkers import Talker, check, talking


class Pods:
    def __init__(self, directory: Path):
        self.fleet = Fleet(directory, {"SHUTDOWN_GRACE_MS": "2000", "TRUSTED_PROXIES": "127.0.0.1"}, start=False)
        port = free_port()
        # Names as the StatefulSet gives them.
        self.fleet.servers = [
            Pod(
                directory / f"chat-{n}",
                {**server.env, "INSTANCE_ID": f"chat-{n}", "HOST": address, "DATA_DIR": str(directory / f"data-{n}")},
                port,
            )
            for n, (server, address) in enumerate(zip(self.fleet.servers, ADDRESSES))
        ]
        self.balancer = Balancer(directory / "balancer", self.fleet.servers)

    @property
    def pods(self) -> list[Pod]:
        return self.fleet.servers

    def start(self) -> "Pods":
        self.fleet.start()
        self.balancer.start()
        return self

    def stop(self) -> None:
        self.balancer.kill()
        self.fleet.stop()

    def poll(self, sid: str | None = None) -> requests.Response:
        query = f"&sid={sid}" if sid else ""
        return requests.get(f"{self.balancer.url}/socket.io/?EIO=4&transport=polling{query}", timeout=TIMEOUT_SECONDS)


@pytest.fixture
def pods(tmp_path) -> Iterator[Pods]:
    pods = Pods(tmp_path)
    try:
        yield pods.start()
    finally:
        pods.stop()


def test_a_polling_session_is_found_by_its_pods_name(pods):
    sids = []

    def both() -> bool:
        sids.append(json.loads(pods.poll().text[1:])["sid"])
        return {sid.split("-")[1] for sid in sids} == {"0", "1"}

    eventually(both, "sessions on both pods")
    for sid in sids:
        for _ in range(3):
            posted = requests.post(f"{pods.balancer.url}/socket.io/?EIO=4&transport=polling&sid={sid}", data="6", timeout=TIMEOUT_SECONDS)
            assert posted.status_code == 200, "its pod knows the session"
    assert {f"chat-0.{NAMESPACE}", f"chat-1.{NAMESPACE}"} <= pods.balancer.names.asked
    for unknown in ("chat-9-0-0123456789abcdef01234567", "nonsense"):
        answer = pods.poll(unknown)
        assert (answer.status_code, answer.json()["code"]) == (400, 1), "the client starts a session anew"


def test_a_rolling_update_loses_and_refuses_nothing(pods):
    talkers = [Talker([pods.balancer.ws_url], f"user-{n}", f"room-{n % 3}", pause=0.02) for n in range(12)]
    codes: list[int] = []

    async def through() -> None:
        async with talking(talkers) as talk:
            await talk.progress(3, TIMEOUT_SECONDS)
            # From the last pod to the first, as a StatefulSet is updated.
            for pod in reversed(pods.pods):
                codes.append(await asyncio.to_thread(pod.terminate))
                await talk.progress(3, TIMEOUT_SECONDS)
                pod.start(wait=False)
                await asyncio.to_thread(eventually, lambda: _is_ready(pod), "ready again")
                await talk.progress(3, TIMEOUT_SECONDS)

    asyncio.run(through())
    assert codes == [0, 0]
    assert all(talker.closes[0] == 1012 for talker in talkers if len(talker.closes) > 1)
    assert sum(len(talker.closes) > 1 for talker in talkers) >= 6, "clients of both pods moved"
    assert not any(talker.refused for talker in talkers), "no message was refused"
    assert check(pods.pods[0], talkers) > 12 * 12


def _is_ready(pod: Pod) -> bool:
    try:
        return pod.get("/ready").status_code == 200
    except requests.RequestException:
        return False
