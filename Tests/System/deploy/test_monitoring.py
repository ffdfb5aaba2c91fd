"""The alert rules and the dashboard: valid, and about metrics that the service has."""

import json
import re
import subprocess

import pytest
import yaml
from support.deadline import eventually
from support.server import ROOT

RULES = ROOT / "deploy" / "prometheus" / "chat-service.rules.yml"
DASHBOARD = ROOT / "deploy" / "grafana" / "chat-service.json"

# None of these servers is there. The service registers the metrics about them all the same.
EVERYTHING = {
    "REDIS_URL": "redis+sentinel://127.0.0.1:1/primary",
    "RABBITMQ_URL": "amqp://127.0.0.1:1",
    "RABBITMQ_QUEUE_PRESENCE": "presence",
    "JWT_JWKS_URL": "http://127.0.0.1:1/keys",
    "AUTH_GRPC_URL": "grpc://127.0.0.1:1",
}


def rules() -> list[dict]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def expressions() -> dict[str, str]:
    """The PromQL of alerts and panels, by their names."""
    found = {rule["alert"]: rule["expr"] for rule in rules()}
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        found |= {f"{panel['title']} {target['refId']}": target["expr"] for target in panel["targets"]}
    return found


def metrics_of(expression: str) -> set[str]:
    return set(re.findall(r"\b(?:chat|process)_\w+", expression))


@pytest.fixture
def exposed(make_server) -> str:
    server = make_server(EVERYTHING)
    # The reload's are registered last, after the port is open.
    return eventually(lambda: text if "chat_reloads_total" in (text := server.get("/metrics").text) else None, "all metrics are there")


def test_every_metric_exists(exposed):
    samples = set(re.findall(r"^(\w+)(?:\{| )", exposed, re.MULTILINE))
    named = {name for expression in expressions().values() for name in metrics_of(expression)}
    assert len(named) > 30 and named <= samples, named - samples


def test_every_label_exists(exposed):
    own = {"job", "instance", "le"}
    for name, expression in expressions().items():
        for metric, labels in re.findall(r"((?:chat|process)_\w+)\{([^}]*)\}", expression):
            for label in set(re.findall(r"(\w+)\s*[!=]", labels)) - own:
                assert re.search(rf"^{metric}\{{[^}}]*{label}=", exposed, re.MULTILINE), f"{name}: {metric} has no {label}"


def test_the_values_of_labels_exist(exposed):
    for name, expression in expressions().items():
        for metric, label, value in re.findall(r'((?:chat|process)_\w+)\{[^}]*?(\w+)="([a-z]+)"\}', expression):
            if label not in ("job", "instance"):
                assert f'{metric}{{{label}="{value}"}}' in exposed, f"{name}: no {metric} with {label}={value}"


def test_counters_are_asked_for_their_rate_and_gauges_for_their_value(exposed):
    kinds = dict(re.findall(r"^# TYPE (\w+) (\w+)$", exposed, re.MULTILINE))
    for name, expression in expressions().items():
        for metric in metrics_of(expression):
            is_rate = re.search(rf"(?:rate|increase)\({metric}\b", expression) is not None
            kind = kinds.get(metric) or kinds[metric.removesuffix("_bucket")]
            assert is_rate == (kind in ("counter", "histogram")), f"{name}: {metric} is a {kind}"


def test_prometheus_reads_the_rules(tmp_path):
    assert _promtool("check", "rules", str(RULES)).returncode == 0
    broken = tmp_path / "broken.yml"
    broken.write_text(RULES.read_text().replace("== 0", "=== 0", 1))
    assert _promtool("check", "rules", str(broken)).returncode != 0


def test_every_alert_says_what_to_do():
    assert len(rules()) > 15
    for rule in rules():
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert len(rule["annotations"]["summary"]) > 20 and len(rule["annotations"]["action"]) > 40, rule["alert"]
        assert rule["annotations"]["action"].endswith(".")


# What a minute's samples have to look like for an alert, and what follows from them.
CASES = [
    ('up{job="chat-service",instance="a"}', "1 1 0x10", "ChatInstanceDown"),
    ('chat_redis_connected{job="chat-service",instance="a"}', "1 0x10", "ChatRedisDown"),
    ('chat_rewinds_total{job="chat-service",instance="a"}', "0 0 1x10", "ChatRoomsRewound"),
    ('chat_outbox_age_seconds{job="chat-service",instance="a"}', "0 300x10", "ChatEventsWait"),
    ('chat_reloads_total{job="chat-service",instance="a",result="refused"}', "0 0 1x10", "ChatReloadRefused"),
    ('chat_reloads_total{job="chat-service",instance="a",result="applied"}', "0 0 1x10", None),
    ('chat_redis_refusals_total{job="chat-service",instance="a",code="WRONGTYPE"}', "0 1 2 3 4 5 6 7 8", None),
    ('chat_redis_refusals_total{job="chat-service",instance="a",code="OOM"}', "0 1 2 3 4 5 6 7 8", "ChatRedisRefuses"),
]


@pytest.mark.parametrize(("series", "values", "alert"), CASES)
def test_alerts_fire_when_they_should(tmp_path, series, values, alert):
    names = [rule["alert"] for rule in rules()]
    labels = dict(re.findall(r'(\w+)="([^"]*)"', series))
    checks = []
    for rule in rules():
        expected = []
        if rule["alert"] == alert:
            expected = [{"exp_labels": labels | rule["labels"], "exp_annotations": _filled(rule, labels, values)}]
        checks.append({"eval_time": "8m", "alertname": rule["alert"], "exp_alerts": expected})
    assert alert is None or alert in names
    test = {"rule_files": [str(RULES)], "evaluation_interval": "1m",
            "tests": [{"interval": "1m", "input_series": [{"series": series, "values": values}], "alert_rule_test": checks}]}  # fmt: skip
    file = tmp_path / "test.yml"
    file.write_text(yaml.safe_dump(test))
    done = _promtool("test", "rules", str(file))
    assert done.returncode == 0, done.stdout + done.stderr


def _filled(rule: dict, labels: dict[str, str], values: str) -> dict[str, str]:
    """The annotations with the labels and the value of these cases in place."""
    filled = {}
    for name, text in rule["annotations"].items():
        text = re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda match: labels[match[1]], text)
        filled[name] = text.replace("{{ $value | humanizeDuration }}", "5m 0s")
    return filled


def test_the_dashboard_is_whole():
    dashboard = json.loads(DASHBOARD.read_text())
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len({panel["title"] for panel in panels}) == len(panels) > 20
    variables = {variable["name"] for variable in dashboard["templating"]["list"]}
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        for target in panel["targets"]:
            used = set(re.findall(r"\$(\w+)", target["expr"])) - {"__rate_interval"}
            assert used <= variables, f"{panel['title']}: {used - variables}"
    cells = {(x, y) for panel in panels for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"]) for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])}  # fmt: skip
    assert len(cells) == sum(panel["gridPos"]["w"] * panel["gridPos"]["h"] for panel in panels), "panels overlap"


def test_the_panels_are_promql(tmp_path):
    """promtool reads them as rules, with numbers in place of Grafana's variables."""
    records = []
    for name, expression in expressions().items():
        text = expression.replace("$__rate_interval", "5m").replace("$job", "chat-service").replace("$instance", ".*")
        records.append({"record": "panel:" + re.sub(r"\W", "_", name), "expr": text})
    file = tmp_path / "panels.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": records}]}))
    done = _promtool("check", "rules", str(file))
    assert done.returncode == 0, done.stdout + done.stderr


def _promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["promtool", *arguments], capture_output=True, text=True, timeout=60)
