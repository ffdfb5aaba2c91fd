"""Copies of the embedded store, made by command while the server runs, and put back."""

import os
import socket
import sqlite3
import stat
import subprocess
import threading
from pathlib import Path

import pytest
from support.command import run
from support.deadline import TIMEOUT_SECONDS, eventually
from support.server import Server


def command(server: Server, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return run(server.directory, *arguments, env=server.env | env)


@pytest.fixture
def full_server(make_server, make_chat) -> Server:
    """A server whose store takes several steps to copy."""
    server = make_server()
    ada = make_chat(server, "ada")
    ada.join("full")
    for number in range(300):
        ada.send("full", f"{number} " + "x" * 15_000)
    return server


def test_a_backup_has_all_acknowledged_messages_and_sending_continues(full_server, make_chat):
    server = full_server
    ben = make_chat(server, "ben")
    ben.join("talk")
    is_over = threading.Event()
    acknowledged: list[int] = []

    def talk() -> None:
        while not is_over.is_set():
            acknowledged.append(ben.send("talk", "hello")["seq"])

    talking = threading.Thread(target=talk)
    talking.start()
    try:
        eventually(lambda: len(acknowledged) >= 10, "messages are acknowledged")
        before = len(acknowledged)
        done = command(server, "backup", "copy.db")
        assert done.returncode == 0, done.stderr
        after = len(acknowledged)
        eventually(lambda: len(acknowledged) > after, "sending goes on")
    finally:
        is_over.set()
        talking.join(TIMEOUT_SECONDS)
    server.terminate()
    assert command(server, "restore", "copy.db").returncode == 0
    server.start()
    last = server.get("/api/chat/talk/history?limit=1").json()["lastSeq"]
    assert before <= last <= len(acknowledged)
    assert server.get("/api/chat/full/history?limit=1").json()["lastSeq"] == 300


def test_a_backup_is_one_file_that_sqlite_reads(full_server):
    assert command(full_server, "backup", "copy.db").returncode == 0
    copy = full_server.directory / "copy.db"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert [file.name for file in full_server.directory.glob("copy.db*")] == ["copy.db"]
    with sqlite3.connect(copy) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("SELECT count(*) FROM messages").fetchone() == (300,)


def test_a_file_is_replaced_only_by_force(full_server):
    copy = full_server.directory / "copy.db"
    copy.write_text("mine")
    refused = command(full_server, "backup", "copy.db")
    assert refused.returncode == 1 and f"{copy} exists" in refused.stderr
    assert copy.read_text() == "mine"
    assert command(full_server, "backup", "copy.db", "--force").returncode == 0
    assert copy.read_bytes().startswith(b"SQLite format 3")


@pytest.mark.parametrize("target", ["nowhere/copy.db", "/proc/copy.db"])
def test_a_backup_that_fails_says_why_and_leaves_nothing(full_server, target):
    failed = command(full_server, "backup", target)
    assert failed.returncode == 1 and target in failed.stderr
    assert list(full_server.directory.rglob("*.part")) == []


def test_the_way_to_the_server_is_its_owners_alone(server):
    path = Path(server.env["DATA_DIR"]) / "chat.sock"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_ISSOCK(path.stat().st_mode)
    assert server.terminate() == 0
    assert not path.exists()


def test_a_data_directory_with_a_long_name_is_no_obstacle(make_server, tmp_path):
    server = make_server({"DATA_DIR": str(tmp_path / ("d" * 120))})
    assert command(server, "backup", "copy.db").returncode == 0
    server.kill()
    # The files that a killed server leaves disturb nothing.
    assert command(server, "backup", "again.db").returncode == 0
    server.restart()
    assert command(server, "backup", "third.db").returncode == 0


def test_a_store_in_use_is_not_restored_over(full_server):
    assert command(full_server, "backup", "copy.db").returncode == 0
    refused = command(full_server, "restore", "copy.db")
    assert refused.returncode == 1 and "another process uses it" in refused.stderr
    assert full_server.get("/api/chat/full/history?limit=1").json()["lastSeq"] == 300


def test_a_file_that_is_no_backup_is_not_restored(full_server):
    full_server.terminate()
    other = full_server.directory / "other.db"
    with sqlite3.connect(other) as database:
        database.execute("CREATE TABLE messages(id)")
    refused = command(full_server, "restore", "other.db")
    assert refused.returncode == 1 and "it is no store of this service" in refused.stderr
    full_server.start()
    assert full_server.get("/api/chat/full/history?limit=1").json()["lastSeq"] == 300


def test_a_drain_does_not_wait_for_a_backup(full_server):
    """The caller reads no answer."""
    with socket.socket(socket.AF_UNIX) as asked:
        directory = os.open(full_server.env["DATA_DIR"], os.O_RDONLY)
        asked.connect(f"/proc/self/fd/{directory}/chat.sock")
        os.close(directory)
        asked.sendall(b'{"backup":"%s","replace":false}\n' % str(full_server.directory / "copy.db").encode())
        assert full_server.terminate() == 0
    assert list(full_server.directory.glob("copy.db*.part")) == []


def test_mongodb_has_backups_of_its_own(server):
    for arguments in (("backup", "copy.db"), ("restore", "copy.db")):
        refused = command(server, *arguments, MONGODB_URI="mongodb://127.0.0.1:1/chat")
        assert refused.returncode == 78 and "it is MongoDB" in refused.stderr
