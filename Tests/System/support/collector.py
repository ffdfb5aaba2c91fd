"""A collector of traces that takes OTLP over HTTP in JSON, as an OpenTelemetry collector does."""

import json
from typing import Any

from support.web_server import Answer, Call, WebServer


class Collector(WebServer):
    """Keeps what it has taken over stops and starts. `statuses` are the answers of the next requests."""

    def __init__(self):
        super().__init__()
        self.requests: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.statuses: list[int] = []
        self.attempts = 0

    @property
    def url(self) -> str:
        return self.origin

    def respond(self, call: Call) -> Answer:
        self.attempts += 1
        status = self.statuses.pop(0) if self.statuses else 200
        if status == 200:
            self.requests.append((call.path, call.fields, json.loads(call.body)))
        return status, {}, b"{}"

    def spans(self) -> list[dict[str, Any]]:
        """All spans, each with its resource's attributes under `resource` and its own under `attributes`."""
        found = []
        for _, _, body in list(self.requests):
            for resource in body["resourceSpans"]:
                names = _attributes(resource["resource"])
                for scope in resource["scopeSpans"]:
                    for span in scope["spans"]:
                        found.append({**span, "resource": names, "attributes": _attributes(span)})
        return found

    def of_trace(self, trace: str) -> dict[str, dict[str, Any]]:
        """The spans of a trace by their names."""
        return {span["name"]: span for span in self.spans() if span["traceId"] == trace}


def _attributes(of: dict[str, Any]) -> dict[str, str]:
    return {each["key"]: each["value"]["stringValue"] for each in of["attributes"]}
