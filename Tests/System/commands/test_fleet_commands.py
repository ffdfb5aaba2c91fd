"""`stats`, `sessions`, `rooms` and `drain`, and how commands find the server and show their key."""

import json

import pytest
from managed import KEY
from support.command import run
from support.web_server import Answer, Call, WebServer


def test_sessions_are_listed_and_chosen(managed):
    managed.join("ada", "general")
    managed.join("ben", "kitchen")
    heading, *lines, count = managed.output("sessions").splitlines()
    assert heading.split()[:4] == ["USER", "SESSION", "INSTANCE", "ADDRESS"]
    assert sorted(line.split()[0] for line in lines) == ["ada", "ben"] and count == "2 of 2 sessions"
    assert all(line.split()[2] == managed.instance for line in lines)
    for options in (["--user", "ben"], ["--room", "kitchen"], ["--search", "be"], ["--instance", "a", "--search", "ben"]):
        answer = json.loads(managed.output("sessions", "--json", *options))
        assert [session["userId"] for session in answer["sessions"]] == ["ben"] and answer["total"] == 1
        assert answer["sessions"][0]["rooms"] == ["kitchen"]
    assert json.loads(managed.output("sessions", "--limit", "1", "--sort", "userId", "--json"))["total"] == 2


def test_rooms_are_listed(managed):
    for user, room in (("ada", "general"), ("ben", "general"), ("cid", "kitchen")):
        managed.join(user, room)
    lines = managed.output("rooms").splitlines()
    assert {tuple(line.split()[:2]) for line in lines[1:-1]} == {("general", "2"), ("kitchen", "1")}
    (room,) = json.loads(managed.output("rooms", "--search", "kit", "--json"))["rooms"]
    assert (room["roomId"], room["sessions"], room["instances"]) == ("kitchen", 1, ["a"])


def test_the_figures_of_instances_are_shown(managed):
    managed.join("ada", "general")
    heading, line, online, *_ = managed.output("stats").splitlines()
    assert heading.startswith("INSTANCE") and line.split()[0] == managed.instance and "serving" in line
    assert online == "online users: 1"
    (instance,) = json.loads(managed.output("stats", "--json"))["fleet"]
    assert instance["instance"] == managed.instance and instance["sessions"] == 1
    assert isinstance(instance["slowConsumers"], int) and isinstance(instance["memoryBytes"], int)
    slow, memory, unit = line.split()[-3:]
    assert (slow, unit) == ("0", "MiB") and float(memory) > 0


def test_an_instance_is_drained(managed):
    managed.join("ada", "general")
    output = managed.output("drain", managed.instance, "--wait")
    assert output.splitlines() == ["a drains; sessions: 1", "a has no sessions"]
    assert "draining" in managed.output("stats")
    done = managed.command("drain", "nowhere")
    assert done.returncode == 1 and "not_found" in done.stderr


def test_the_trail_is_listed_and_chosen(managed):
    for user in ("ada", "ben", "cid"):
        managed.output("ban", user, "--as", "olga")
    managed.output("kick", "ben", "--as", "otto")
    heading, *lines, count = managed.output("audit").splitlines()
    assert heading.split() == ["TIME", "ACTION", "OUTCOME", "ACTOR", "ADDRESS", "INSTANCE", "USER", "ROOM", "DETAIL"]
    assert [line.split()[1:7] for line in lines[:2]] == [
        ["kick", "done", "otto", "127.0.0.1", "a", "ben"], ["user_ban", "done", "olga", "127.0.0.1", "a", "cid"],
    ]  # fmt: skip
    assert count == "4 entries"

    def users(*options: str) -> list[str]:
        return [entry["userId"] for entry in json.loads(managed.output("audit", "--json", *options))["entries"]]

    assert users("--action", "user_ban") == ["cid", "ben", "ada"] and users("--actor", "otto") == ["ben"]
    assert users("--user", "ben", "--limit", "1") == ["ben"]
    count = managed.output("audit", "--limit", "3").splitlines()[-1]
    assert count.startswith("3 entries; older ones with --before ")
    assert users("--before", count.split()[-1]) == ["ada"]


def test_bans_are_listed_page_by_page(managed):
    managed.join("olga", "general")
    for user in ("ada", "ben", "cid"):
        managed.output("ban", user, "--for", "1h", "--reason", f"{user} spams")
    managed.output("ban", "dan", "--room", "general")
    heading, first, second, count = managed.output("bans", "--limit", "2").splitlines()
    assert heading.split() == ["USER", "SINCE", "UNTIL", "BY", "REASON"]
    assert first.split()[0] == "ada" and first.endswith("ada spams") and second.split()[0] == "ben"
    since, until = first.split()[1:3]
    assert since < until and until.endswith("Z")
    assert count == "2 bans; more with --after ben"
    (ban,) = json.loads(managed.output("bans", "--after", "ben", "--json"))["bans"]
    assert ban["userId"] == "cid"
    _, line, count = managed.output("bans", "--room", "general").splitlines()
    assert line.split()[0] == "dan" and "for ever" in line and count == "1 ban"
    refused = managed.command("bans", "--room", "nowhere")
    assert refused.returncode == 1 and "forbidden" in refused.stderr


def test_settings_are_reloaded(managed):
    environment = managed.server.directory / ".env"
    environment.write_text("CORS_ORIGIN=https://new.example.com\nMAX_FRAME_BYTES=200000\n")
    table = managed.output("reload", "--as", "olga").splitlines()
    assert [line.split()[:2] for line in table[:2]] == [["INSTANCE", "OUTCOME"], ["a", "done"]] and "origins" in table[1]
    assert table[2:] == ["a: at the next start: MAX_FRAME_BYTES"]
    assert json.loads(managed.output("reload", "--instance", "a", "--json"))["reloads"][0]["outcome"] == "done"
    environment.write_text("CORS_ORIGIN=nonsense origin\n")
    refused = managed.command("reload")
    assert refused.returncode == 1 and "not every instance reloaded" in refused.stderr
    assert refused.stdout.splitlines()[1].split() == ["a", "refused", "-"] and "a: refused: CORS_ORIGIN" in refused.stdout
    done = managed.command("reload", "--instance", "nowhere")
    assert done.returncode == 1 and "not_found" in done.stderr and done.stdout == ""
    assert [(entry["outcome"], entry["actor"]) for entry in managed.trail(action="reload")] == [
        ("refused", None), ("done", None), ("done", "olga"),
    ]  # fmt: skip


def test_commands_read_only_the_settings_that_they_need(managed, tmp_path):
    (tmp_path / ".env").write_text(f"LOG_LEVEL=loud\nPORT=x\nSERVICE_API_KEY={KEY}\n")
    assert run(tmp_path, "sessions", "--server", managed.url).returncode == 0
    done = run(tmp_path, "sessions")
    assert done.returncode == 78 and "PORT=x" in done.stderr and "LOG_LEVEL" not in done.stderr
    (tmp_path / ".env").write_text(f"LOG_LEVEL=loud\nHOST=127.0.0.1\nPORT={managed.server.port}\nSERVICE_API_KEY={KEY}\n")
    for command in (["sessions"], ["healthcheck"]):
        done = run(tmp_path, *command)
        assert done.returncode == 0, done.stderr


def test_the_key_comes_from_the_environment_or_a_file_and_is_never_shown(managed, tmp_path):
    by_environment = run(tmp_path, "stats", "--server", managed.url, env={"SERVICE_API_KEY": KEY})
    assert by_environment.returncode == 0, by_environment.stderr
    (tmp_path / ".env").write_text(f"SERVICE_API_KEY={KEY}\n")
    assert run(tmp_path, "stats", "--server", managed.url).returncode == 0
    (tmp_path / ".env").unlink()
    done = run(tmp_path, "stats", "--server", managed.url)
    assert done.returncode == 78 and "SERVICE_API_KEY" in done.stderr
    done = run(tmp_path, "stats", "--service-key", KEY)
    assert done.returncode == 64 and KEY not in done.stdout + done.stderr
    wrong = "w" * 40
    done = run(tmp_path, "stats", "--server", managed.url, env={"SERVICE_API_KEY": wrong})
    assert done.returncode == 1 and "unauthorized" in done.stderr and "service key" in done.stderr
    assert wrong not in done.stdout + done.stderr
    (tmp_path / "short.key").write_text("short\n")
    for file, reason in (("short.key", "does not begin with a service key"), ("none.key", "does not exist")):
        done = run(tmp_path, "stats", "--server", managed.url, "--service-key-file", file)
        assert done.returncode == 78 and reason in done.stderr


class OneAnswer(WebServer):
    """Gives one answer to every request."""

    def __init__(self, *answer):
        super().__init__()
        self._answer = answer

    def respond(self, _: Call) -> Answer:
        return self._answer


@pytest.fixture
def answering():
    servers = []

    def start(status: int, body: bytes, **fields: str) -> str:
        servers.append(OneAnswer(status, fields, body).start())
        return servers[-1].origin

    yield start
    for server in servers:
        server.stop()


@pytest.mark.parametrize(
    ("status", "body", "fields", "reason"),
    [
        (200, b"<html>hello</html>", {}, "not a JSON object"),
        (200, b"[1]", {}, "not a JSON object"),
        (503, b'{"code":"storage_unavailable","detail":"the store is\\u001b[2J away"}', {}, r"the store is\u{1b}[2J away (storage_unavailable)"),
        (502, b"<html>bad gateway</html>", {}, "status 502"),
        (302, b"", {"Location": "http://127.0.0.1:1/"}, "status 302"),
    ],
)
def test_other_answers_are_failures_with_a_reason(answering, tmp_path, status, body, fields, reason):
    done = run(tmp_path, "sessions", "--server", answering(status, body, **fields), env={"SERVICE_API_KEY": KEY})
    assert done.returncode == 1 and done.stdout == "" and reason in done.stderr


def test_a_server_that_is_not_there_is_named(tmp_path):
    done = run(tmp_path, "rooms", env={"SERVICE_API_KEY": KEY, "PORT": "1"})
    assert done.returncode == 1 and "http://0.0.0.0:1" not in done.stderr and "http://127.0.0.1:1: " in done.stderr


def test_a_certificate_has_to_be_trusted(make_server, certificate, tmp_path):
    chain, key = certificate
    server = make_server(
        {"SERVICE_API_KEY": KEY, "TLS_CERT_FILE": str(chain), "TLS_KEY_FILE": str(key), "AUTH_MODE": "trusted"})  # fmt: skip
    environment = server.env
    done = run(tmp_path, "kick", "nobody", env=environment)
    assert done.returncode == 1 and "TLS" in done.stderr
    done = run(tmp_path, "kick", "nobody", "--ca-file", str(chain), env=environment)
    assert (done.returncode, done.stdout) == (0, "ended sessions: 0\n"), done.stderr
