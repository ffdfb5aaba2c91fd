"""SIGHUP and POST /internal/reload: settings change without a lost connection."""

import concurrent.futures
import json
import signal
from pathlib import Path

import pytest

from operating import ENVIRONMENT, KEY, SECRET, Operator, token_for
from support.chat import Refused
from support.deadline import eventually
from support.server import Server

# Variables of the environment beat those of a file.
FIXED = ENVIRONMENT | {"RATE_LIMIT_MESSAGES": "", "RATE_LIMIT_CONNECTIONS": "", "LOG_LEVEL": "", "AUTH_MODE": ""}


def write(server: Server, **variables: str) -> None:
    settings = {"AUTH_MODE": "trusted", "RATE_LIMIT_MESSAGES": "0", "RATE_LIMIT_CONNECTIONS": "0"} | variables
    path = Path(server.env.get("CONFIG_FILE") or server.directory / ".env")
    path.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))


@pytest.fixture
def server(make_server, tmp_path) -> Server:
    file = tmp_path / "settings"
    file.write_text("RATE_LIMIT_MESSAGES=0\nRATE_LIMIT_CONNECTIONS=0\nAUTH_MODE=trusted\n")
    return make_server(FIXED | {"CONFIG_FILE": str(file), "INSTANCE_ID": "instance-1"})


def reload(operator: Operator, **query) -> dict:
    answer = operator.call("POST", "/internal/reload", **query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def allowed(server: Server, origin: str) -> bool:
    return server.get("/health", headers={"Origin": origin}).headers.get("Access-Control-Allow-Origin") == origin


def send_until_refused(chat, room: str) -> int:
    for count in range(200):
        try:
            chat.send(room, "x")
        except Refused as refusal:
            assert refusal.code == "rate_limited"
            return count
    return 200


def test_origins_rates_and_log_level_change_under_open_connections(server, make_chat, room):
    operator = Operator(server)
    ada = make_chat(server, "ada")
    ada.join(room)
    assert send_until_refused(ada, room) == 200
    # Until every loop has the request's head from before.
    assert not any(allowed(server, "https://new.example.com") for _ in range(16))
    assert '"level":"debug"' not in server.log_text()

    write(server, CORS_ORIGIN="https://new.example.com", RATE_LIMIT_MESSAGES="1", LOG_LEVEL="debug", PORT="1")
    answer = reload(operator)
    report = answer["reloads"][0]
    assert (report["instance"], report["outcome"]) == ("instance-1", "done")
    assert report["error"] is None and report["warnings"] == []
    assert report["applied"] == ["service key", "log level", "rates", "origins"]
    assert answer["complete"] is True
    assert allowed(server, "https://new.example.com")
    # The connection of before is still there, and the new rate holds for it.
    assert send_until_refused(ada, room) <= 10
    eventually(lambda: '"level":"debug"' in server.log_text(), "lines of the new level")
    assert operator.wait_for_entry("reload")["outcome"] == "done"


def test_what_takes_effect_at_the_next_start_is_named(server):
    write(server, SHUTDOWN_GRACE_MS="1234", MAX_FRAME_BYTES="200000")
    # The environment has SHUTDOWN_GRACE_MS, which beats the file.
    assert reload(Operator(server))["reloads"][0]["restartNeeded"] == ["MAX_FRAME_BYTES"]


def test_a_bad_file_keeps_the_old_settings_and_names_the_variable(server, make_chat):
    operator = Operator(server)
    ada = make_chat(server, "ada")
    write(server, CORS_ORIGIN="https://new.example.com")
    reload(operator)
    write(server, CORS_ORIGIN="https://other.example.com", RATE_LIMIT_MESSAGES="many")
    answer = operator.call("POST", "/internal/reload")
    assert answer.status_code == 409 and answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == "conflict" and problem["success"] is False
    assert "instance-1: RATE_LIMIT_MESSAGES" in problem["detail"] and "stay in use" in problem["detail"]
    assert "RATE_LIMIT_MESSAGES" in problem["reloads"][0]["error"] and problem["reloads"][0]["applied"] == []
    assert allowed(server, "https://new.example.com") and not allowed(server, "https://other.example.com")
    assert operator.wait_for_entry("reload")["outcome"] == "refused"
    ada.settle()

    Path(server.env["CONFIG_FILE"]).unlink()
    gone = operator.call("POST", "/internal/reload")
    assert gone.status_code == 409 and "CONFIG_FILE" in gone.json()["detail"]
    assert allowed(server, "https://new.example.com")


def test_a_signal_does_the_same(server):
    operator = Operator(server)
    write(server, CORS_ORIGIN="https://new.example.com")
    server.process.send_signal(signal.SIGHUP)
    eventually(lambda: allowed(server, "https://new.example.com"), "the new origin is allowed")
    entry = operator.wait_for_entry("reload")
    assert entry["detail"] == "SIGHUP" and entry["actor"] is None and entry["address"] is None


def test_reloads_at_once_follow_one_another(server, make_chat, room):
    operator = Operator(server)
    ada = make_chat(server, "ada")
    ada.join(room)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for number in range(4):
            write(server, CORS_ORIGIN=f"https://new-{number}.example.com")
            for _ in range(3):
                server.process.send_signal(signal.SIGHUP)
            answers = list(pool.map(lambda _: Operator(server).call("POST", "/internal/reload"), range(8)))
            assert {answer.status_code for answer in answers} == {200}
            # A reload that was asked for after the file was written has read it.
            assert allowed(server, f"https://new-{number}.example.com")
    assert ada.send(room, "still here")["success"] is True
    operator.stats("instance-1")


def test_all_instances_reload_or_one(pair, make_chat):
    one, two = pair.servers
    operator = Operator(one)
    for server in pair.servers:
        (server.directory / ".env").write_text("CORS_ORIGIN=https://new.example.com\n")
    assert [each["instance"] for each in reload(operator, instance="instance-2")["reloads"]] == ["instance-2"]
    assert allowed(two, "https://new.example.com") and not allowed(one, "https://new.example.com")
    (two.directory / ".env").write_text("CORS_ORIGIN=nonsense origin\n")
    answer = operator.call("POST", "/internal/reload")
    assert answer.status_code == 409
    assert "instance-2: CORS_ORIGIN" in answer.json()["detail"] and answer.json()["detail"].endswith("; reloaded: instance-1")
    reports = {each["instance"]: each for each in answer.json()["reloads"]}
    assert reports["instance-1"]["outcome"] == "done" and reports["instance-1"]["error"] is None
    assert reports["instance-2"]["outcome"] == "refused" and "CORS_ORIGIN" in reports["instance-2"]["error"]
    assert reports["instance-1"]["applied"] and reports["instance-2"]["applied"] == []
    # The trail says of each of them what became of it, too.
    entries = operator.entries(action="reload", limit=2)
    assert sorted((each["outcome"], each["detail"]) for each in entries) == [("done", "instance-1"), ("refused", "instance-2")]
    assert allowed(one, "https://new.example.com") and allowed(two, "https://new.example.com")


def test_the_service_key_is_replaced(make_server, tmp_path):
    file = tmp_path / "settings"
    file.write_text(f"SERVICE_API_KEY={KEY}\n")
    server = make_server(ENVIRONMENT | {"SERVICE_API_KEY": "", "CONFIG_FILE": str(file)})
    other = "another service key of the tests of management"
    file.write_text(f"SERVICE_API_KEY={other}\n")
    reload(Operator(server))
    assert Operator(server).call("GET", "/internal/stats").status_code == 401
    assert Operator(server, {"X-Service-Key": other}).call("GET", "/internal/stats").status_code == 200


def administrator(server: Server, token: str, **fields: str) -> Operator:
    return Operator(server, {"Authorization": f"Bearer {token}", "X-Admin": "true", **fields})


def test_an_administrators_token_counts_where_it_is_asked_to(make_server):
    guarded = ENVIRONMENT | {"AUTH_MODE": "token", "JWT_SECRET": SECRET, "ADMIN_ROLE": "chat-admin"}
    server = make_server(guarded)
    token = token_for("olga", "other", "chat-admin")
    assert administrator(server, token).get("/internal/sessions", userId="ben")["sessions"] == []
    assert administrator(server, token).call("PUT", "/internal/bans/eve").status_code == 200
    entry = administrator(server, token).wait_for_entry("user_ban")
    assert entry["actor"] == "olga" and entry["service"] is True
    # Without the field the same token is that of a user like others.
    plain = Operator(server, {"Authorization": f"Bearer {token}"})
    assert plain.call("GET", "/internal/stats").status_code == 401
    assert administrator(server, token_for("ben", "chat-user")).call("GET", "/internal/stats").status_code == 401
    assert administrator(server, token_for("ben")).call("GET", "/internal/stats").status_code == 401
    in_query = server.get(f"/internal/stats?token={token}", headers={"X-Admin": "true"})
    assert in_query.status_code == 400 and "query" in in_query.json()["detail"]
    assert server.get(f"/internal/stats?token={token}").status_code == 401
    assert json.dumps(token) not in server.log_text() and token not in server.log_text()


@pytest.mark.parametrize("change", [{"ADMIN": "off"}, {"ADMIN_ROLE": ""}])
def test_without_that_setting_no_token_makes_an_administrator(make_server, change):
    server = make_server(
        ENVIRONMENT | {"AUTH_MODE": "token", "JWT_SECRET": SECRET, "ADMIN_ROLE": "chat-admin"} | change)  # fmt: skip
    assert administrator(server, token_for("olga", "chat-admin")).call("GET", "/internal/stats").status_code == 401
    assert Operator(server).call("GET", "/internal/stats").status_code == 200
