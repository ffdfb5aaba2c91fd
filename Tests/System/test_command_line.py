"""The executable from outside: what it prints, and the codes it ends with."""

import pytest

from support.command import run
from support.server import ROOT


def test_help_lists_every_variable_of_the_reference_page(tmp_path):
    help = run(tmp_path, "--help")
    assert help.returncode == 0 and help.stderr == ""
    page = (ROOT / "docs" / "configuration.md").read_text()
    names = [line.split("`")[1] for line in page.splitlines() if line.startswith("| `")]
    assert len(names) > 40
    for name in names:
        assert f"\n  {name} (" in help.stdout


def test_the_check_reads_the_dot_env_file_and_the_environment_beats_it(tmp_path):
    (tmp_path / ".env").write_text("PORT=6001\nLOG_LEVEL=debug\nJWT_SECRET=hunter2-hunter2-hunter2-hunter2-\n")
    check = run(tmp_path, "--check-config", env={"PORT": "6002"})
    assert check.returncode == 0, check.stderr
    lines = check.stdout.splitlines()
    assert "PORT=6002  (environment)" in lines
    assert "LOG_LEVEL=debug  (.env)" in lines
    assert "JWT_SECRET=[redacted]  (.env)" in lines
    assert "hunter2" not in check.stdout + check.stderr


@pytest.mark.parametrize("command", ["serve", "--check-config", "healthcheck"])
def test_a_bad_value_stops_every_command_that_needs_it(tmp_path, command):
    result = run(tmp_path, command, env={"PORT": "0", "AUTH_MODE": "none", "MONGO_URI": "mongodb://x"})
    assert result.returncode == 78
    assert "error: PORT=0 is not allowed; allowed: an integer from 1 to 65535" in result.stderr
    # A health check needs the address alone.
    is_needed = command != "healthcheck"
    assert ("error: AUTH_MODE=none is not allowed; allowed: token, trusted" in result.stderr) == is_needed
    assert "did you mean MONGODB_URI?" in result.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
        ("OTEL_TRACES_SAMPLER_ARG", "2"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "no-value"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a=line%0Abreak"),
    ],
)
def test_bad_settings_of_tracing_are_named(tmp_path, name, value):
    result = run(tmp_path, "--check-config", env={name: value})
    assert result.returncode == 78 and f"error: {name}=" in result.stderr


@pytest.mark.parametrize("command", ["serve", "--check-config", "migrate"])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MONGODB_URI", "mongodb://u:hunter2/x@127.0.0.1:1/chat"),
        ("MONGODB_URI", "mongodb://u:x#hunter2@127.0.0.1:1/chat"),
        ("MONGODB_URI", "mongodb://u:%hunter2@127.0.0.1:1/chat"),
        ("REDIS_URL", "redis://u:12/hunter2@127.0.0.1:1"),
        ("REDIS_URL", "redis://:hunter2 x@127.0.0.1:1"),
        ("RABBITMQ_URL", "amqp://u:12?hunter2@127.0.0.1:1"),
        ("RABBITMQ_URL", "amqp://u:hunter2#x@127.0.0.1:1/"),
    ],
)
def test_a_password_that_is_not_encoded_stops_the_start_and_is_not_shown(tmp_path, command, name, value):
    result = run(tmp_path, command, env={name: value})
    assert result.returncode == 78
    assert f"error: {name}=[redacted] is not allowed" in result.stderr and "percent-encoded" in result.stderr
    assert "hunter2" not in result.stdout + result.stderr


@pytest.mark.parametrize(
    ("name", "value"), [("JWT_SECRET", "short-secret"), ("SERVICE_API_KEY", "short-key")]
)
def test_secrets_that_can_be_guessed_stop_the_start(tmp_path, name, value):
    result = run(tmp_path, "--check-config", env={name: value})
    assert result.returncode == 78
    assert name in result.stderr and "bytes" in result.stderr and value not in result.stderr


@pytest.mark.parametrize("command", ["serve", "--check-config", "migrate"])
def test_a_store_that_acknowledges_what_it_does_not_store_stops_the_start(tmp_path, command):
    result = run(tmp_path, command, env={"MONGODB_URI": "mongodb://ann:hunter2@127.0.0.1:1/chat?w=0"})
    assert result.returncode == 78
    assert "MONGODB_URI: w=0" in result.stderr
    assert "hunter2" not in result.stdout + result.stderr


def test_a_store_that_may_lose_messages_is_warned_about(tmp_path):
    result = run(tmp_path, "--check-config", env={"MONGODB_URI": "mongodb://127.0.0.1:1/chat?w=1&j=false"})
    assert result.returncode == 0
    assert "MONGODB_URI: w=1 may be less than the majority" in result.stdout + result.stderr
    assert "MONGODB_URI: j=false" in result.stdout + result.stderr


def test_a_dot_env_file_that_cannot_be_read_stops_the_start(tmp_path):
    (tmp_path / ".env").mkdir()
    result = run(tmp_path, "--check-config")
    assert result.returncode == 78
    assert "error: .env: " in result.stderr


def test_wrong_use_prints_the_usage(tmp_path):
    result = run(tmp_path, "fly")
    assert result.returncode == 64
    assert result.stderr.startswith("chat-service: unknown command fly\n\nusage:")


def test_the_health_check_fails_where_nothing_listens(tmp_path):
    result = run(tmp_path, "healthcheck", env={"PORT": "1"})
    assert result.returncode == 1
    assert result.stderr == "unhealthy: cannot connect: Connection refused\n"


def test_a_minted_token_signs_its_user_in(make_server, make_chat, tmp_path):
    env = {"JWT_SECRET": "k" * 32, "JWT_ISSUER": "here"}
    token = run(tmp_path, "token", "mint", "--user", "u1", "--name", "Ann", env=env).stdout.strip()
    chat = make_chat(make_server(env))
    answer = chat.authenticate_with(token)
    assert (answer["userId"], answer["username"]) == ("u1", "Ann")
    stranger = make_chat(make_server({"JWT_SECRET": "x" * 32}))
    stranger.emit("authenticate", {"token": token})
    stranger.expect_error("unauthorized")
