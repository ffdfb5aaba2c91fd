"""Traces of messages: what a collector gets, and what it cannot disturb."""

import pytest

from support.broker import collect
from support.collector import Collector
from support.deadline import eventually
from support.metrics import metric
from support.webhooks import SECRET, make_receiver

__all__ = ["make_receiver"]

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{CALLER}-01"


@pytest.fixture
def collector():
    collector = Collector().start()
    yield collector
    collector.stop()


def post(server, text: str, trace: str | None = None, room: str = "den") -> dict:
    headers = {"X-User-Id": "alice"} | ({"traceparent": trace} if trace else {})
    answer = server.post(f"/api/chat/{room}/messages", json={"message": text}, headers=headers)
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.fixture
def make_traced(make_server, make_chat):
    """A server with a room, `den`, that alice is in."""

    def make(env):
        server = make_server(env)
        make_chat(server, "alice").join("den")
        return server

    return make


def settings(collector: Collector, **env: str) -> dict[str, str]:
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, **env}


def test_a_message_goes_on_with_its_callers_trace_to_its_event(make_server, make_chat, broker, queue, collector):
    server = make_server(
        settings(
            collector, RABBITMQ_URL=broker.url, RABBITMQ_QUEUE_NEW_MESSAGE=queue, OTEL_TRACES_SAMPLER_ARG="0",
            OTEL_SERVICE_NAME="our-chat", ENVIRONMENT="staging", INSTANCE_ID="one",
        )
    )  # fmt: skip
    bob = make_chat(server, "bob")
    make_chat(server, "alice").join("den")
    bob.join("den")
    post(server, "not traced")
    sent = post(server, "traced", TRACEPARENT)
    seen = collect(broker, queue, lambda seen: len(seen.events) == 2)
    names = {f"message {step}" for step in ("receive", "commit", "publish", "deliver", "event")}
    eventually(lambda: collector.of_trace(TRACE).keys() == names, "all spans are exported")

    spans = collector.of_trace(TRACE)
    receive = spans["message receive"]
    assert receive["parentSpanId"] == CALLER and receive["kind"] == 2
    assert all(span["parentSpanId"] == receive["spanId"] for name, span in spans.items() if span is not receive)
    assert len({span["spanId"] for span in spans.values()}) == len(spans)
    for span in spans.values():
        assert int(receive["startTimeUnixNano"]) <= int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"])
        assert span["attributes"] == {"messaging.message.id": sent["messageId"]} and "status" not in span
        resource = span["resource"]
        assert resource["service.name"] == "our-chat" and resource["service.instance.id"] == "one"
        assert resource["deployment.environment.name"] == "staging" and resource["service.version"]
    # The event's receiver continues below the event's span.
    headers = {event["data"]["message"]: delivery.headers for delivery, event in zip(seen.messages, seen.events)}
    assert headers == {"traced": {"traceparent": f"00-{TRACE}-{spans['message event']['spanId']}-01"}, "not traced": {}}
    # Nothing but the one message was followed.
    assert {span["traceId"] for span in collector.spans()} == {TRACE}


def test_without_a_callers_trace_each_message_begins_one(make_traced, collector):
    server = make_traced(settings(collector))
    sent = [post(server, str(number))["messageId"] for number in range(3)]
    post(server, "its caller records nothing", f"00-{TRACE}-{CALLER}-00")
    received = lambda: [span for span in collector.spans() if span["name"] == "message receive"]  # noqa: E731
    eventually(lambda: len(received()) == 3, "the three are exported")
    assert [span["attributes"]["messaging.message.id"] for span in received()] == sent
    assert len({span["traceId"] for span in received()}) == 3
    assert all("parentSpanId" not in span for span in received())
    assert metric(server, 'chat_spans_total{outcome="exported"}') == len(collector.spans())


def test_requests_carry_the_configured_fields_which_no_log_shows(make_traced, collector):
    server = make_traced(settings(collector, OTEL_EXPORTER_OTLP_HEADERS="X-Token=s3cret%2Fvalue, x-tenant=ours"))
    post(server, "hello")
    eventually(lambda: collector.requests, "spans are exported")
    path, fields, _ = collector.requests[0]
    assert path == "/v1/traces" and fields["content-type"] == "application/json"
    assert fields["x-token"] == "s3cret/value" and fields["x-tenant"] == "ours"
    assert "s3cret" not in server.log_text()


def test_spans_wait_for_a_collector_that_is_busy(make_traced, collector):
    collector.statuses = [503, 429]
    server = make_traced(settings(collector))
    post(server, "hello")
    eventually(lambda: collector.requests, "the third attempt is taken")
    assert collector.attempts == 3
    eventually(lambda: metric(server, 'chat_spans_total{outcome="exported"}') == len(collector.spans()), "counted")
    assert metric(server, 'chat_spans_total{outcome="failed"}') == 0


def test_a_refused_batch_is_given_up_and_the_next_one_sent(make_traced, collector):
    collector.statuses = [400]
    server = make_traced(settings(collector))
    post(server, "refused")
    eventually(lambda: metric(server, 'chat_spans_total{outcome="failed"}') > 0, "the batch is given up")
    assert collector.attempts == 1
    second = post(server, "taken")["messageId"]
    eventually(
        lambda: second in {span["attributes"]["messaging.message.id"] for span in collector.spans()},
        "the next batch is taken",
    )


def test_a_collector_that_is_away_holds_nothing_up(make_traced, collector):
    collector.stop()
    server = make_traced(settings(collector))
    for number in range(20):
        post(server, str(number))
    eventually(lambda: metric(server, 'chat_spans_total{outcome="failed"}') > 0, "the spans are given up")
    assert server.get("/ready").status_code == 200
    collector.start()
    after = post(server, "it is back")["messageId"]
    # Stopping exports what waits.
    assert server.terminate() == 0
    assert after in {span["attributes"]["messaging.message.id"] for span in collector.spans()}


def test_a_webhook_continues_the_trace(make_server, make_chat, collector, make_receiver):
    receiver = make_receiver()
    server = make_server(
        settings(collector, WEBHOOK_URL=receiver.url, WEBHOOK_SECRET=SECRET, WEBHOOK_RETRIES="1s", OTEL_TRACES_SAMPLER_ARG="0")
    )
    receiver.answers(503)
    make_chat(server, "alice").join("den")
    post(server, "traced", TRACEPARENT)
    first = receiver.wait_for("message.sent")[0]
    receiver.answers(204)
    receiver.wait_for("message.sent", 2)
    spans = lambda: [span for span in collector.spans() if span["name"] == "message webhook"]  # noqa: E731
    eventually(lambda: len(spans()) >= 2, "each attempt is exported")
    failed, *_, taken = spans()
    assert failed["status"] == {"code": 2, "message": "status 503"} and "status" not in taken
    receive = collector.of_trace(TRACE)["message receive"]
    assert failed["parentSpanId"] == receive["spanId"] and failed["traceId"] == TRACE
    assert first.fields["traceparent"] == f"00-{TRACE}-{failed['spanId']}-01"
