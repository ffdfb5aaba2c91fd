"""One server's life: start, health, metrics, kill, restart, drain; and what its log says and does not say."""

import json
import signal
import subprocess

import pytest
from websockets.exceptions import InvalidStatus

from support.server import Server, binary, clean_environment


def log_lines(server: Server) -> list[dict]:
    return [json.loads(line) for line in server.log_text().splitlines()]


def test_the_log_begins_with_what_the_server_runs_with(server):
    first, warning, *_ = log_lines(server)
    assert first["message"] == "chat-service starting" and first["level"] == "notice"
    assert first["listening"] == server.url
    assert first["store"].startswith("SQLite in ") and first["auth"] == "trusted"
    assert first["bus"] == "in process (one instance)" and first["events"] == "off"
    assert warning["level"] == "warning" and "TRUSTED MODE" in warning["message"]


@pytest.mark.parametrize("loops", ["1", "2"])
def test_a_port_that_is_in_use_is_not_shared(make_server, loops):
    first = make_server({"EVENT_LOOPS": loops})
    second = make_server({"EVENT_LOOPS": loops}, start=False, port=first.port).start(wait=False)
    assert second.wait() == 1
    assert f"cannot listen on 127.0.0.1 port {first.port}: Address already in use" in second.log_text()
    assert first.get("/health").status_code == 200


def test_the_health_check_command_follows_the_server(server):
    command = [str(binary()), "healthcheck"]
    environment = clean_environment(server.env)
    assert subprocess.run(command, env=environment, cwd=server.directory, timeout=20).returncode == 0
    server.kill()
    assert subprocess.run(command, env=environment, cwd=server.directory, timeout=20).returncode == 1


def test_metrics_are_well_formed_and_describe_the_process(server, make_chat):
    make_chat(server, "alice").join("kitchen")
    answer = server.get("/metrics")
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    kinds, samples = {}, {}
    for line in answer.text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in kinds, f"{name} is described twice"
            kinds[name] = kind
        elif not line.startswith("# HELP "):
            name, value = line.rsplit(" ", 1)
            samples[name] = float(value)
    assert all(name.endswith("_total") for name, kind in kinds.items() if kind == "counter")
    assert samples["process_resident_memory_bytes"] > 1_000_000
    assert samples["process_open_fds"] < samples["process_max_fds"]
    assert samples["chat_sessions"] == 1
    assert "alice" not in answer.text and "kitchen" not in answer.text


def test_an_acknowledged_message_survives_sigkill(server, make_chat):
    alice = make_chat(server, "alice")
    alice.join("kitchen")
    sent = [alice.send("kitchen", f"message {number}")["seq"] for number in range(1, 6)]
    server.kill()
    server.restart()
    history = make_chat(server, "bob").join("kitchen")["history"]
    assert [(message["seq"], message["message"]) for message in history] == [
        (seq, f"message {seq}") for seq in sent
    ]


def test_sigterm_notifies_clients_and_ends_with_zero(server, make_chat):
    alice = make_chat(server, "alice")
    alice.join("kitchen")
    server.process.send_signal(signal.SIGTERM)
    assert alice.expect("server_draining")["reconnectInMs"] >= 0
    alice.expect_close(1012)
    assert server.wait() == 0
    assert log_lines(server)[-1]["message"] == "stopped"


def test_one_data_directory_has_one_server(make_server):
    first = make_server()
    second = make_server({"DATA_DIR": first.env["DATA_DIR"]}, start=False).start(wait=False)
    assert second.wait() == 1
    last = log_lines(second)[-1]
    assert last["level"] == "error" and first.env["DATA_DIR"] in last["message"]
    assert first.get("/health").status_code == 200


@pytest.mark.parametrize(
    "options",
    [
        {"path": "/ws?token=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJodW50ZXIyIn0.c2VjcmV0LXBhcnQ"},
        {"additional_headers": {"Authorization": "Bearer secret-part"}},
        {"subprotocols": ["bearer", "secret-part"]},
    ],
    ids=["query", "header", "sub-protocol"],
)
def test_no_token_reaches_the_log(make_server, make_chat, options):
    server = make_server({"JWT_SECRET": "k" * 32})
    try:
        make_chat(server, **options).expect_close(4401)
    except InvalidStatus as refused:
        assert refused.response.status_code == 401
    assert_nothing_leaked(server)


def test_no_token_of_an_event_reaches_the_log(make_server, make_chat):
    server = make_server({"JWT_SECRET": "k" * 32})
    chat = make_chat(server)
    chat.emit("authenticate", {"token": "secret-part"})
    chat.expect_error("unauthorized")
    assert_nothing_leaked(server)


def assert_nothing_leaked(server: Server) -> None:
    # Lines are written before answers, so one more answer shows that nothing is still on its way.
    assert server.get("/health").status_code == 200
    text = server.log_text()
    assert "chat-service starting" in text
    for part in ("secret-part", "c2VjcmV0LXBhcnQ", "eyJzdWIi"):
        assert part not in text
