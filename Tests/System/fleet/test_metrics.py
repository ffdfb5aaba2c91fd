"""`/metrics` and `/ready` of an instance in a fleet."""

import math
import re

from prometheus_client.parser import text_string_to_metric_families

from support.broker import RabbitMQ
from support.deadline import eventually
from support.server import ROOT, Server


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
            _check_names(family)
            if family.type == "histogram":
                _check_histogram(family)
        assert room not in text and "alice" not in text, "no label names a room or a user"


# What `promtool check metrics` holds against names: units other than the base ones, and abbreviations.
OTHER_UNITS = {
    "milliseconds", "microseconds", "nanoseconds", "minutes", "hours", "days", "bits", "kilobytes", "megabytes",
    "kibibytes", "mebibytes", "percent", "ms", "us", "s", "b", "kb", "mb",
}  # fmt: skip
KINDS = {"counter", "gauge", "histogram", "summary"}


def _check_names(family) -> None:
    """As `promtool check metrics` does, and a little more."""
    name = family.name
    assert family.documentation and family.type in ("counter", "gauge", "histogram"), name
    assert re.fullmatch(r"[a-z][a-z0-9_]*", name), name
    words = set(name.split("_"))
    assert not words & KINDS, f"{name}: its kind is in its name"
    assert not words & OTHER_UNITS, f"{name}: not a base unit"
    suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"]}.get(family.type, [""])
    for sample in family.samples:
        assert sample.name in [name + suffix for suffix in suffixes], sample.name
        assert ("le" in sample.labels) == sample.name.endswith("_bucket") and "quantile" not in sample.labels
        assert not math.isnan(sample.value), sample.name
    if family.type == "gauge":
        assert not re.search(r"_(total|bucket|count|sum)$", name), f"{name}: a gauge with another kind's suffix"


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
        bounds = [float(each.labels["le"]) for each in buckets]
        assert bounds == sorted(set(bounds)), family.name
        assert sum(each.name.endswith("_sum") for each in samples) == 1


def test_everything_an_operator_asks_for_is_there(make_fleet, make_chat, tmp_path):
    """With a broker: its state and the outbox have metrics as well."""
    broker = RabbitMQ(tmp_path / "rabbitmq").start()
    try:
        fleet = make_fleet({"RABBITMQ_URL": broker.url})
        chats = [make_chat(server, user) for server, user in zip(fleet.servers, ["alice", "bob"])]
        for chat in chats:
            chat.join("r")
        for number in range(10):
            chats[0].send("r", f"message {number}")
        chats[1].expect("new_message", lambda message: message["seq"] == 10)
        for server in fleet.servers:
            found = families(server)
            assert ASKED_FOR <= found.keys(), ASKED_FOR - found.keys()
            eventually(lambda s=server: value(s, "chat_redis_connected") == 1, "Redis is there")
            eventually(lambda s=server: value(s, "chat_broker_connected") == 1, "the broker is there")
            # From the sender to this instance's member, through store and bus.
            eventually(lambda s=server: 1 <= value(s, "chat_fan_out_seconds_count") <= 10, "fanned out")
            assert 0 <= value(server, "chat_fan_out_seconds_sum") < 10
        durations, batches = "chat_commit_duration_seconds_count", "chat_commit_batch_messages_count"
        eventually(
            lambda: value(fleet.servers[0], durations) == value(fleet.servers[0], batches) >= 1, "each commit is timed"
        )
        assert 0 < value(fleet.servers[0], "chat_commit_duration_seconds_sum") < 60
        confirmed = {"outcome": "confirmed"}
        eventually(lambda: value(fleet.servers[0], "chat_events_settled_total", **confirmed) >= 10, "confirmed")
        fleet.redis.kill()
        eventually(lambda: value(fleet.servers[1], "chat_redis_connected") == 0, "Redis is gone")
        broker.kill()
        eventually(lambda: value(fleet.servers[1], "chat_broker_connected") == 0, "the broker is gone")
        chats[0].send("r", "nobody to tell")
        eventually(lambda: value(fleet.servers[1], "chat_outbox_messages") == 1, "the outbox is measured")
        age = value(fleet.servers[1], "chat_outbox_age_seconds")
        eventually(lambda: value(fleet.servers[1], "chat_outbox_age_seconds") > age, "it grows older")
    finally:
        broker.kill()


ASKED_FOR = {
    "chat_connections", "chat_sessions", "chat_rooms_joined", "chat_messages", "chat_deliveries", "chat_fan_out_seconds",
    "chat_output_queue_bytes", "chat_slow_consumers", "chat_commit_batch_messages", "chat_commit_duration_seconds",
    "chat_redis_connected", "chat_broker_connected", "chat_outbox_messages", "chat_outbox_age_seconds",
}  # fmt: skip


def test_the_counters(fleet, make_chat, room):
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
        assert set(body["dependencies"]) == {"store", "files", "redis"}
        for state in body["dependencies"].values():
            assert state["state"] == "up"
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", state["since"])
            assert "lastError" in state


def test_the_operations_page_names_every_metric(fleet):
    page = (ROOT / "docs" / "operations.md").read_text()
    told = set(re.findall(r"`(chat_\w+)", page))
    texts = [server.get("/metrics").text for server in fleet.servers]
    served = {name for text in texts for name in re.findall(r"^# TYPE (chat_\w+)", text, re.MULTILINE)}
    assert served and served <= told, served - told
