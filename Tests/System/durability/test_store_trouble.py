"""The data directory: used by another process, full, or not accessible."""

import resource
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.deadline import TIMEOUT_SECONDS, eventually
from support.server import Server, binary

BOB = {"X-User-Id": "bob"}


def refused_start(server: Server) -> str:
    server.start(wait=False)
    code = server.wait()
    assert code not in (0, None) and code > 0, "an exit code, not a crash"
    return server.log_text()


def test_a_second_process_on_the_same_data_is_refused(make_server, make_chat, tmp_path):
    first = make_server()
    alice = make_chat(first, "alice")
    alice.join("r")
    data = first.env["DATA_DIR"]
    log = refused_start(make_server({"DATA_DIR": data}, start=False))
    assert "another process uses it" in log and data in log
    alice.send("r", "undisturbed")
    first.kill()
    third = make_server({"DATA_DIR": data})
    assert third.get("/api/chat/r/history").json()["lastSeq"] == 1, "the lock went with its holder"


def test_data_that_is_no_database_is_refused_and_left_alone(make_server):
    server = make_server(start=False)
    data = server.directory / "data"
    data.mkdir(mode=0o700)
    (data / "chat.db").write_bytes(b"this is no database\n" * 500)
    log = refused_start(server)
    assert '"level":"error"' in log and "chat.db" in log or "not a database" in log
    assert (data / "chat.db").read_bytes().startswith(b"this is no database")


def test_the_data_is_for_its_owner_only(make_server, make_chat):
    server = make_server()
    make_chat(server, "alice").join("r")
    data = server.directory / "data"
    assert {path.name for path in data.iterdir()} >= {"chat.db", "chat.db-wal", "chat.lock"}
    for path in [data, *data.iterdir()]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


@pytest.fixture
def full_disk(make_server, tmp_path, monkeypatch):
    """A server, and a way to let its files grow no more: as on a full disk, writes fail and reads continue."""
    script = tmp_path / "ignoring-xfsz"
    script.write_text(f"#!/bin/sh\ntrap '' XFSZ\nexec {binary()} \"$@\"\n")
    script.chmod(0o755)
    monkeypatch.setenv("CHAT_SERVICE_BINARY", str(script))
    server = make_server()
    _, hard = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)

    def limit(is_full: bool) -> None:
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (1024 if is_full else hard, hard))

    return server, limit


def test_a_full_disk_refuses_sends_and_is_got_over(full_disk, make_chat):
    server, limit = full_disk
    alice, bob = make_chat(server, "alice"), make_chat(server, "bob")
    for chat in (alice, bob):
        chat.join("r")
    stored = [alice.send("r", f"before {n}")["seq"] for n in range(5)]
    limit(True)
    calls = [("/api/chat/r/messages", {"message": "x"}), ("/api/rooms", {"roomId": "new"})]
    with ThreadPoolExecutor() as pool:
        id = alice.emit_with_id("send_message", {"roomId": "r", "message": "nowhere to go", "clientMessageId": "full-1"})
        waiting = [pool.submit(server.post, path, headers=BOB, json=body) for path, body in calls]
        answers = [each.result(timeout=TIMEOUT_SECONDS) for each in waiting]
    assert [answer.status_code for answer in answers] == [503, 503]
    assert {answer.json()["code"] for answer in answers} == {"storage_unavailable"}
    error = alice.reply(id)["error"]
    assert error["code"] == "storage_unavailable" and error["retryable"] is True
    # Calls that need no writing work.
    assert server.get("/health").status_code == 200
    assert server.get("/ready").status_code == 503
    assert server.get("/api/chat/r/history").json()["lastSeq"] == stored[-1]
    bob.ask("typing", {"roomId": "r", "isTyping": True})
    alice.expect("user_typing")

    limit(False)
    eventually(lambda: server.get("/ready").status_code == 200, "ready again")
    retry = alice.send("r", "nowhere to go", clientMessageId="full-1")
    after = alice.send("r", "after")
    history = server.get("/api/chat/r/history").json()["messages"]
    assert [m["seq"] for m in history] == list(range(1, after["seq"] + 1)), "refusals left no holes"
    assert [m["message"] for m in history].count("nowhere to go") == 1 and retry["seq"] in [m["seq"] for m in history]
    assert bob.expect("new_message", lambda m: m["message"] == "after")["seq"] == after["seq"]
