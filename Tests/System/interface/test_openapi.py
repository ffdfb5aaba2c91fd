"""`/openapi.json`: a valid document, which the running server keeps."""

import subprocess
import sys

import pytest
import requests
from openapi_spec_validator import validate

from support.deadline import TIMEOUT_SECONDS

SERVICE_KEY = "0123456789abcdef"
ENVIRONMENT = {"SERVICE_API_KEY": SERVICE_KEY, "RATE_LIMIT_MESSAGES": "0", "RATE_LIMIT_CONNECTIONS": "0"}
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,unsupported_method"
)


@pytest.fixture(scope="module")
def document(shared):
    return shared.get("/openapi.json").json()


def test_it_is_valid(document):
    validate(document)
    assert document["openapi"].startswith("3.1.")


def test_it_is_cached(shared):
    first = shared.get("/openapi.json")
    again = shared.get("/openapi.json", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304 and not again.content


def test_every_operation_is_complete(document):
    names = set()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            where = f"{method} {path}"
            assert operation["summary"] and operation["tags"], where
            assert operation["operationId"] not in names, where
            names.add(operation["operationId"])
            assert "default" in operation["responses"], where
            for status, answer in operation["responses"].items():
                content = answer.get("content", {})
                assert content or status == "304", f"{where} {status}"
                for kind, body in content.items():
                    assert "example" in body or not kind.endswith("json"), f"{where} {status}"


# As a user alone, and as a service that acts for the user: between them every call answers.
@pytest.mark.parametrize("headers", [{}, {"X-Service-Key": SERVICE_KEY}], ids=["user", "service"])
def test_the_server_keeps_it(shared, headers, tmp_path):
    """A generator of requests made from the document, valid and not, judges each answer by the document."""
    shared.post("/api/rooms", headers={"X-User-Id": "ada"}, json={"roomId": "general"})
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{shared.url}/openapi.json", "--no-color"]
    command += ["--checks", CHECKS, "--phases", "examples,coverage,fuzzing", "--max-examples", "20", "--seed", "1"]
    # The generator takes values from answers, and would drain the server by its name.
    command += ["--exclude-path-regex", "^/(metrics|internal/drain)$"]
    for name, value in ({"X-User-Id": "ada"} | headers).items():
        command += ["-H", f"{name}: {value}"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]


def test_the_page_needs_no_script_and_no_other_host(shared):
    page = shared.get("/docs")
    assert shared.get("/docs/").text == page.text
    assert page.headers["Content-Type"].startswith("text/html")
    text = page.text
    assert "<script" not in text and "http://" not in text and "https://" not in text.replace("https://example.org", "")
    for part in ["/api/chat/:roomId/history", "send_message", "new_message", "storage_unavailable", "4409"]:
        assert part in text
    sheet = requests.get(f"{shared.url}/docs/style.css", timeout=TIMEOUT_SECONDS)
    assert sheet.status_code == 200 and sheet.headers["Content-Type"].startswith("text/css")
