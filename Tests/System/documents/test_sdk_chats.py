"""The first chats of the SDKs' documents, run as they are, over a restart of the server."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from blocks import ALL, DOCUMENTED
from support.deadline import eventually
from support.server import ROOT, clean_environment, die_with_parent, free_port

SDK_TESTS = ROOT / "Tests" / "System" / "sdk"


def chat(server, make_chat, command: list[str], greeting: str, env: dict[str, str], output: Path) -> None:
    """Runs a client that prints numbers, names and texts, and talks to it."""
    with output.open("wb") as lines:
        process = subprocess.Popen(
            command, stdout=lines, stderr=subprocess.STDOUT, env=clean_environment(env), preexec_fn=die_with_parent
        )

    def printed() -> list[str]:
        assert process.poll() is None, output.read_text()
        return output.read_text().splitlines()

    try:
        eventually(lambda: printed() == [f"1 Ada {greeting}"], "its own message")
        ben = make_chat(server, "ben", "Ben")
        ben.join("lobby")
        ben.send("lobby", "hi Ada")
        eventually(lambda: printed()[1:] == ["2 Ben hi Ada"], "another's message")
        server.kill()
        server.restart()
        ben = make_chat(server, "ben", "Ben")
        ben.join("lobby")
        ben.send("lobby", "are you back?")
        eventually(lambda: printed()[2:] == ["3 Ben are you back?"], "what came after the restart")
    finally:
        process.kill()
        process.wait()


def test_the_first_chat_in_javascript(server, make_chat, tmp_path):
    text = ALL["sdk/js/README.md › A first chat"].text
    assert len([line for line in text.splitlines() if line]) <= 10
    module = tmp_path / "chat.mjs"
    text = text.replace('"chat-service-client"', f'"{(ROOT / "sdk" / "js" / "index.js").as_uri()}"')
    module.write_text(text.replace(DOCUMENTED, f"127.0.0.1:{server.port}"))
    # A Node before 22 gets the tests' WebSocket.
    start = tmp_path / "start.mjs"
    start.write_text(
        f'import {{ SmallWebSocket }} from "{(SDK_TESTS / "small_websocket.mjs").as_uri()}";\n'
        f'globalThis.WebSocket ??= SmallWebSocket;\nawait import("{module.as_uri()}");\n'
    )
    node = shutil.which("node")
    assert node, "there is no node here: install the package nodejs"
    chat(server, make_chat, [node, str(start)], "hello from JavaScript", {}, tmp_path / "printed")


def test_the_first_chat_in_python(server, make_chat, tmp_path):
    text = ALL["sdk/python/README.md › A first chat"].text
    assert len([line for line in text.splitlines() if line]) <= 11
    module = tmp_path / "chat.py"
    module.write_text(text.replace(DOCUMENTED, f"127.0.0.1:{server.port}"))
    env = {"PYTHONPATH": str(ROOT / "sdk" / "python"), "no_proxy": "127.0.0.1"}
    chat(server, make_chat, [sys.executable, str(module)], "hello from Python", env, tmp_path / "printed")


def test_the_example_pages_are_served_as_shown(shell):
    text = ALL["examples/README.md › Examples"].text
    command, port = ".build/release/chat-service serve", str(free_port())
    assert command in text
    look = f"curl --silent --fail --retry 30 --retry-connrefused http://127.0.0.1:{port}/examples/user.html; kill %1"
    text = text.replace(command, "chat-service serve --check-config").replace("8000", port).replace("INTERNAL_PORT=4000", f"INTERNAL_PORT={free_port()}")
    done = shell.run(f"cd {ROOT}\n{text}\n{look}", env={"PATH": os.environ["PATH"]})
    assert done.returncode == 0, done.stderr
    assert "<title>User client</title>" in done.stdout
