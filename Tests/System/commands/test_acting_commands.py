"""`kick`, `ban`, `export` and `erase`, against a server."""

import json
import os
import pwd
import socket
import stat

import pytest
from support.deadline import eventually


def test_a_user_is_kicked(managed):
    first, second = managed.join("ada", "general"), managed.join("ada", "general")
    ben = managed.join("ben", "general")
    assert managed.output("kick", "ada") == "ended sessions: 2\n"
    first.expect_close(4401)
    second.expect_close(4401)
    ben.send("general", "still here")
    assert json.loads(managed.output("kick", "ada", "--json"))["sessions"] == 0
    done = managed.command("kick", "ben", "--session", "none")
    assert done.returncode == 1 and "not_found" in done.stderr


def test_a_user_is_banned_for_a_time_and_the_ban_is_lifted(managed):
    ada = managed.join("ada", "general")
    output = managed.output("ban", "ada", "--for", "1h", "--reason", "spam")
    assert output.startswith("ada is banned from the deployment until 20")
    ada.expect_close(4403)
    (ban,) = managed.server.get("/internal/bans", headers={"X-Service-Key": key(managed)}).json()["bans"]
    assert ban["userId"] == "ada" and ban["reason"] == "spam" and ban["until"] > ban["timestamp"]
    assert managed.output("ban", "ada", "--lift") == "ada is no longer banned from the deployment\n"
    managed.join("ada", "general")
    assert managed.command("ban", "ada", "--lift").returncode == 1


def test_a_user_is_banned_from_a_room(managed):
    ada = managed.join("ada", "general")
    assert json.loads(managed.output("ban", "ada", "--room", "general", "--until", "2100-01-01T00:00:00Z", "--json"))["userId"] == "ada"
    ada.join("kitchen")
    assert ada.request("join_room", {"roomId": "general"})["success"] is False
    assert managed.output("ban", "ada", "--room", "general", "--lift") == "ada is no longer banned from general\n"
    ada.join("general")


def test_what_is_known_of_a_user_is_exported(managed):
    ada = managed.join("ada", "general")
    for text in ("one", "two"):
        ada.send("general", text)
    lines = [json.loads(line) for line in managed.output("export", "--user", "ada").splitlines()]
    assert lines[0]["type"] == "user" and {"next", "end"}.isdisjoint(line["type"] for line in lines)
    assert [line["message"]["message"] for line in lines if line["type"] == "message"] == ["one", "two"]
    file = managed.directory / "ada.jsonl"
    done = managed.command("export", "--room", "general", "--output", str(file))
    assert done.returncode == 0 and done.stdout == "" and "exported" in done.stderr
    written = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["message"]["message"] for line in written if line["type"] == "message"] == ["one", "two"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    done = managed.command("export", "--room", "general", "--output", str(file))
    assert done.returncode == 1 and "File exists" in done.stderr and file.read_text()
    other = managed.directory / "none.jsonl"
    assert managed.command("export", "--room", "nowhere", "--output", str(other)).returncode == 1 and not other.exists()


def test_what_is_known_of_a_user_is_erased(managed):
    managed.join("ada", "general").send("general", "secret of ada")
    done = managed.command("erase", "--user", "ada")
    assert done.returncode == 64 and "--yes" in done.stderr
    assert "secret of ada" in managed.output("export", "--room", "general")
    output = managed.output("erase", "--user", "ada", "--yes", "--wait")
    assert output.startswith("erasing; job ") and output.endswith("\nerased\n")
    assert "secret of ada" not in managed.output("export", "--room", "general")


def test_a_room_is_erased(managed):
    managed.join("ada", "general").send("general", "hello")
    assert json.loads(managed.output("erase", "--room", "general", "--yes", "--wait", "--json"))["state"] == "running"
    done = managed.command("export", "--room", "general")
    assert done.returncode == 1 or "hello" not in done.stdout


def test_the_trail_names_the_person_and_the_account(managed):
    account = f"by account {pwd.getpwuid(os.geteuid()).pw_name}@{socket.gethostname()}"
    managed.output("ban", "ada", "--as", "olga")
    managed.output("kick", "ben", "--as", "Ölga")
    managed.output("export", "--user", "ada", "--as", "olga", "--output", str(managed.directory / "ada.jsonl"))
    managed.output("ban", "ada", "--lift")
    managed.output("drain", managed.instance, "--as", "olga")
    entries = managed.trail()
    assert [(entry["action"], entry["actor"], entry["detail"]) for entry in entries] == [
        ("drain", "olga", f"{managed.instance}; {account}"), ("user_unban", None, account), ("user_export", "olga", account),
        ("kick", "Ölga", account), ("user_ban", "olga", account),
    ]  # fmt: skip
    assert all(entry["service"] for entry in entries)
    done = managed.command("kick", "ben", "--as", "a\nX-Admin: true")
    assert done.returncode == 64 and "--as must not" in done.stderr


@pytest.mark.parametrize("name", ["", "a/b?c#d&e=%", "ä 😀"])
def test_ids_are_encoded_in_addresses(managed, name):
    user = f"u{name}"
    managed.join(user, "general")
    eventually(lambda: managed.output("kick", user) == "ended sessions: 1\n", "that user is found", every=0.2)


def key(managed) -> str:
    return (managed.directory / "service.key").read_text().strip()
