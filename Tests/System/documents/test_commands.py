"""The documents' shell blocks, against a real server."""

import json
import os
import re
import subprocess

from blocks import ALL
from support.server import ROOT, binary


def test_history_over_rest(shell):
    done = shell.run(ALL["README.md › History"].text.replace("curl ", "curl --silent --show-error --fail --write-out '\\n' "))
    assert done.returncode == 0, done.stderr
    made, sent, newest, earlier = (json.loads(line) for line in done.stdout.splitlines())
    assert made["room"]["roomId"] == "news" and sent["seq"] == 1
    assert [message["message"] for message in newest["messages"]] == ["by REST"]
    assert earlier["success"] is True


def test_a_fleet_instance_is_configured_as_shown(shell):
    text = ALL["README.md › Several instances"].text
    command = ".build/release/chat-service serve"
    assert command in text
    text = text.replace(command, "chat-service serve --check-config").replace("JWT_SECRET=…", f"JWT_SECRET={'k' * 32}")
    done = shell.run(text)
    assert done.returncode == 0, done.stderr
    for fact in ("# store: MongoDB", "# bus: Redis at redis:6379", "# events: RabbitMQ at rabbitmq", "# auth: token"):
        assert fact in done.stdout


def test_a_backup_is_made_while_the_server_runs_and_is_restored(shell, make_chat):
    server = shell.server
    alice = make_chat(server, "alice")
    alice.join("kitchen")
    alice.send("kitchen", "before the backup")
    done = shell.run(ALL["docs/operations.md › Backups of the embedded store"].text)
    assert done.returncode == 0, done.stderr
    alice.send("kitchen", "after the backup")
    server.terminate()
    done = shell.run(ALL["docs/operations.md › Backups of the embedded store (2)"].text)
    assert done.returncode == 0, done.stderr
    server.start()
    history = make_chat(server, "bob").join("kitchen")["history"]
    assert [message["message"] for message in history] == ["before the backup"]


def test_an_upgrade_is_examined_beforehand(shell):
    done = shell.run(ALL["docs/upgrade.md › Before"].text)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 errors" in done.stdout and "nothing would change" in done.stdout


def test_the_commands_named_are_there():
    """Commands that build, test or install are not run again: their programs and what they are given have to be there."""
    text = ALL["README.md › Two commands"].text + ALL["CONTRIBUTING.md › Build and test"].text
    scripts = set(re.findall(r"^scripts/([\w-]+)", text, re.MULTILINE))
    assert scripts > {"run", "test", "soak", "fuzz", "cluster"}
    for name in scripts:
        script = ROOT / "scripts" / name
        assert os.access(script, os.X_OK), f"{script} cannot be run"
        interpreter = script.read_text().splitlines()[0].split("/")[-1].split()[-1]
        check = {"bash": ["bash", "-n"], "python3": ["python3", "-m", "py_compile"]}[interpreter]
        assert subprocess.run([*check, str(script)]).returncode == 0
    (target,) = re.findall(r"^swift test --filter (\w+)", text, re.MULTILINE)
    assert (ROOT / "Tests" / target).is_dir()
    (filtered,) = re.findall(r"^scripts/test --system -k (\w+)", text, re.MULTILINE)
    assert any(filtered in file.name for file in (ROOT / "Tests" / "System").rglob("test_*.py"))
    help = subprocess.run([str(binary()), "bench", "--help"], capture_output=True, text=True, timeout=20)
    assert help.returncode == 0 and "usage" in help.stdout
