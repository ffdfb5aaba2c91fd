"""`/metrics` and `/ready` of an instance in a fleet."""

import re

from prometheus_client.parser import text_string_to_metric_families

from support.deadline import eventually
from support.server import Server


def families(server: Server) -> dict[str, object]:
    answer = server.get("/metrics")
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {family.name: family for family in text_string_to_metric_families(answer.text)}


def value(server: Server, sample: str, **labels: str) -> float:
    """The sum of the samples of that name that have these labels."""
    found = [
        each.value
        for family in families(server).values()
        for each in family.samples
        if each.name == sample and labels.items() <= each.labels.items()
    ]
    assert found, f"no {sample} {labels}"
    return sum(found)


def test_the_text_is_well_formed(fleet, make_chat, room):
    chats = [make_chat(server, user) for server, user in zip(fleet.servers, ["alice", "bob"])]
    for chat in chats:
        chat.join(room)
    for chat in chats:
        chat.send(room, "counted")
    for server in fleet.servers:
        text = server.get("/metrics").text
        lines = text.splitlines()
        assert text.endswith("\n")
        helps = [line.split(" ")[2] for line in lines if line.startswith("# HELP ")]
        types = [line.split(" ")[2] for line in lines if line.startswith("# TYPE ")]
        assert len(helps) == len(set(helps)) and helps == types, "each is described once, before its samples"
        samples = [line.split(" ")[0] for line in lines if line and not line.startswith("#")]
        assert len(samples) == len(set(samples)), "no series twice"
        for family in families(server).values():
            assert family.documentation and family.type != "unknown", family.name
            assert re.fullmatch(r"[a-z][a-z0-9_]*", family.name), family.name
            if family.type == "histogram":
                _check_histogram(family)
        assert room not in text and "alice" not in text, "no label names a room or a user"


def _check_histogram(family) -> None:
    by_labels: dict[tuple, list] = {}
    for sample in family.samples:
        key = tuple(sorted((name, text) for name, text in sample.labels.items() if name != "le"))
        by_labels.setdefault(key, []).append(sample)
    for samples in by_labels.values():
        buckets = [each for each in samples if each.name.endswith("_bucket")]
        counts = [each.value for each in buckets]
        assert counts == sorted(counts), family.name
        assert buckets[-1].labels["le"] == "+Inf"
        assert next(each.value for each in samples if each.name.endswith("_count")) == counts[-1]


def test_what_is_counted(fleet, make_chat, room):
    one, two = fleet.servers
    before = [value(server, "chat_bus_received_total") for server in fleet.servers]
    delivered = [value(server, "chat_messages_total") for server in fleet.servers]
    chats = [make_chat(server, user) for server, user in zip(fleet.servers, ["alice", "bob"])]
    for chat in chats:
        chat.join(room)
    for number in range(10):
        chats[0].send(room, f"message {number}")
    chats[1].expect("new_message", lambda message: message["seq"] == 10)
    for server, count in zip(fleet.servers, delivered):
        eventually(lambda s=server, n=count: value(s, "chat_messages_total") >= n + 10, "delivered on both")
        eventually(lambda s=server: value(s, "chat_sessions") >= 1 and value(s, "chat_rooms_joined") >= 1, "gauges")
    assert value(two, "chat_bus_received_total") >= before[1] + 10
    assert value(one, "chat_commit_batch_messages_count") >= 1
    hits = value(one, "chat_history_cache_reads_total")
    one.get(f"/api/chat/{room}/history?limit=5")
    assert value(one, "chat_history_cache_reads_total") > hits


def test_ready_names_each_dependency(fleet):
    for server in fleet.servers:
        ready = server.get("/ready")
        body = ready.json()
        assert ready.status_code == 200 and body["ready"] is True and body["status"] == "ok"
        assert set(body["dependencies"]) == {"store", "redis"}
        for state in body["dependencies"].values():
            assert state["state"] == "up"
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", state["since"])
            assert "lastError" in state
