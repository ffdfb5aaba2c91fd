"""JavaScript in Node or in Chromium: functions with an argument, evaluated where the SDK is loaded as `sdk`."""

import itertools
import json
import queue
import shutil
import subprocess
import threading
from pathlib import Path
from typing import Any, Protocol

from playwright.sync_api import Browser

from support.deadline import TIMEOUT_SECONDS
from support.server import Server, die_with_parent

HERE = Path(__file__).parent
# Playwright itself waits for a promise without a limit.
IN_TIME = """(argument) => Promise.race([
  (async () => (%s)(argument))(),
  new Promise((_, reject) => setTimeout(() => reject(new Error("the script did not end in time")), %d)),
])"""


class ScriptRunner(Protocol):
    def evaluate(self, source: str, argument: Any = None) -> Any: ...

    def close(self) -> None: ...


class NodeRunner:
    def __init__(self) -> None:
        node = shutil.which("node")
        assert node, "there is no node here: install the package nodejs"
        self._process = subprocess.Popen(
            [node, str(HERE / "script_host.mjs")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=die_with_parent,
        )
        self._ids = itertools.count(1)
        self._answers: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def evaluate(self, source: str, argument: Any = None) -> Any:
        id = next(self._ids)
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"id": id, "source": source, "argument": argument}) + "\n")
        self._process.stdin.flush()
        while True:
            line = self._answers.get(timeout=TIMEOUT_SECONDS)
            assert line, "node has ended"
            answer = json.loads(line)
            if answer["id"] == id:
                break
        if "error" in answer:
            raise AssertionError(answer["error"])
        return answer["value"]

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self._answers.put(line)
        self._answers.put("")


class BrowserRunner:
    def __init__(self, browser: Browser, server: Server):
        # Any page of the server will do. Its policy is for that page, not for the SDK.
        self._context = browser.new_context(bypass_csp=True)
        self._context.set_default_timeout(TIMEOUT_SECONDS * 1000)
        self._page = self._context.new_page()
        self._page.goto(server.url + "/health")
        self._page.evaluate(
            "async () => { window.WebSocketHere = WebSocket; window.sdk = await import('/client/sdk/index.js'); }"
        )

    def evaluate(self, source: str, argument: Any = None) -> Any:
        return self._page.evaluate(IN_TIME % (source, TIMEOUT_SECONDS * 1000), argument)

    def close(self) -> None:
        self._context.close()
