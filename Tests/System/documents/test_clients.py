"""The documents' client snippets, run as they are."""

import json
import re
from typing import Any

from blocks import ALL, DOCUMENTED
from support.chat import Chat
from support.deadline import eventually
from support.socketio_client import client_file


def test_the_socket_io_snippet_receives_and_resumes_after_a_restart(server, make_chat, chromium):
    # The page stands for one of an application, whose policy would be its own.
    page = chromium.new_page(bypass_csp=True)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(server.url + "/health")
    page.add_script_tag(path=str(client_file()))
    page.evaluate("() => { window.printed = []; console.log = (...what) => printed.push(what); }")
    snippet = ALL["README.md › Connect a client"].text
    page.add_script_tag(content=snippet.replace(DOCUMENTED, f"127.0.0.1:{server.port}"), type="module")

    def lines() -> list[list[Any]]:
        return [line for line in page.evaluate("printed") if len(line) == 3]

    def acks() -> list[dict]:
        return [line[0] for line in page.evaluate("printed") if len(line) == 1]

    bob = make_chat(server, "bob", "Bob")
    bob.join("lobby")
    eventually(lambda: lines() == [[1, "Ada", "hello"]], "its own message")
    bob.send("lobby", "hi Ada")
    eventually(lambda: lines()[1:] == [[2, "Bob", "hi Ada"]], "another's message")

    server.kill()
    server.restart()
    bob = make_chat(server, "bob", "Bob")
    bob.join("lobby")
    bob.send("lobby", "are you back?")
    eventually(lambda: lines()[2:] == [[3, "Bob", "are you back?"]], "what came after the restart", 60)
    bob.send("lobby", "good")
    eventually(lambda: lines()[3:] == [[4, "Bob", "good"]], "what came live then")
    eventually(lambda: len(acks()) == 2, "the second acknowledgement")
    assert [ack.get("duplicate", False) for ack in acks()] == [False, True]
    assert acks()[0]["messageId"] == acks()[1]["messageId"]
    assert errors == []
    page.close()


def test_the_raw_conversation_goes_as_shown(server):
    lines = ALL["README.md › Connect a client (2)"].text.splitlines()
    assert lines[0] == f"ws://{DOCUMENTED}/"
    with Chat(server.ws_url) as chat:
        for line in lines[1:]:
            direction, frame = line.split(" ", 1)
            if direction == ">":
                chat.send_text(frame)
                continue
            expected = shown(frame)
            if expected["event"] == "ack":
                expect_like(chat.reply(expected["id"]), expected["data"])
            else:
                expect_like(chat.expect(expected["event"]), expected["data"])


def shown(frame: str) -> dict:
    """A frame of the documents; the dots stand for further fields."""
    return json.loads(re.sub(r",…\}", "}", frame))


def expect_like(found: Any, pattern: Any) -> None:
    """The output has the shown lines: dots match any text, and times match by their form."""
    if isinstance(pattern, dict):
        for name, value in pattern.items():
            if name == "timestamp":
                assert type(found[name]) is type(value)
            else:
                expect_like(found[name], value)
    elif pattern == "…":
        assert isinstance(found, str) and found
    else:
        assert found == pattern
