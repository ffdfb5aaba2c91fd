"""One window of the chat page, in the words of a user."""

import base64
import hashlib
import hmac
import json
import re
import time
import urllib.parse
import urllib.request

from playwright.sync_api import Page, expect
from support.deadline import TIMEOUT_SECONDS
from support.page import PAGE

DESKTOP = {"width": 1280, "height": 820}
PHONE = {"width": 390, "height": 844}
SECRET = "only-for-the-tests-of-the-chat-page"
STORED = '#messages .message[data-state="stored"]'


class ChatPage:
    def __init__(self, page: Page, url: str):
        self.page = page
        self.url = url
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._note_console)

    def _note_console(self, message):
        """Failed connections are part of some tests; a policy violation never is."""
        if message.type == "error" and "Content Security Policy" in message.text:
            self.errors.append(message.text)

    def enter(self, user: str, room: str = "lobby") -> "ChatPage":
        self.page.goto(f"{self.url}/?{urllib.parse.urlencode({'user': user, 'room': room})}")
        self.expect_online()
        return self

    def expect_online(self):
        expect(self.page.locator("#me")).to_contain_text("Connected")
        expect(self.page.locator("#room-subtitle")).to_contain_text("ere now")

    def write(self, text: str):
        self.page.locator("#text").fill(text)

    def send(self, text: str):
        self.write(text)
        self.page.locator("#text").press("Enter")

    def act(self, text: str, action: str):
        """Chooses an entry of a message's menu."""
        self.message(text).locator(".body").hover()
        self.message(text).get_by_role("button", name="More actions").click()
        self.page.get_by_role("menuitem", name=action, exact=True).click()

    def react(self, text: str, emoji: str):
        """With one of those that stand ready beside the message."""
        self.message(text).locator(".body").hover()
        self.message(text).get_by_role("button", name=f"React with {emoji}").click()

    def choose_person(self, name: str, action: str):
        """Chooses an entry of a person's menu in the list of people."""
        self.page.locator("#people-list").get_by_role("button", name=re.compile(f"^{name}\\b")).click()
        self.page.get_by_role("menuitem", name=action, exact=True).click()

    def open_direct(self, name: str):
        """Opens the chat with a person of the list of people. The server is asked for the room first."""
        self.choose_person(name, "Message")
        expect(self.page.locator("#room-title")).to_have_text(name)

    def choose_for_room(self, action: str):
        self.page.locator("#room-menu").click()
        self.page.get_by_role("menuitem", name=action, exact=True).click()

    def message(self, text: str):
        return self.page.locator("#messages .message", has=self.page.locator(".bubble", has_text=text))

    def expect_stored(self, text: str):
        row = self.message(text)
        expect(row).to_have_count(1)
        expect(row).to_have_attribute("data-state", "stored")

    def texts(self) -> list[str]:
        return self.page.locator(f"{STORED} .bubble").all_inner_texts()

    def sequence(self) -> list[int]:
        return [int(row.get_attribute("data-seq")) for row in self.page.locator(STORED).all()]

    def expect_gapless(self):
        seen = self.sequence()
        assert seen == list(range(seen[0], seen[0] + len(seen))), seen


def token_for(user: str, name: str, lifetime: int = 600) -> str:
    """An HS256 token as an application would sign it."""

    def part(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    claims = {"sub": user, "name": name, "exp": int(time.time()) + lifetime}
    signed = ".".join(part(json.dumps(item).encode()) for item in ({"alg": "HS256", "typ": "JWT"}, claims))
    return f"{signed}.{part(hmac.digest(SECRET.encode(), signed.encode(), hashlib.sha256))}"


def post_message(url: str, user: str, room: str, text: str, **fields) -> dict:
    """A message by REST, from a user without a window."""
    request = urllib.request.Request(
        f"{url}/api/chat/{urllib.parse.quote(room, safe='')}/messages",
        data=json.dumps({"message": text, **fields}).encode(),
        headers={"Content-Type": "application/json", "X-User-Id": user, "X-Username": user.capitalize()},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
        return json.load(response)


def make_room(server, user: str, room: str, **fields) -> str:
    """A room of that user's, by REST; gives its id."""
    answer = server.post("/api/rooms", json={"roomId": room, **fields}, headers={"X-User-Id": user})
    assert answer.status_code == 201, answer.text
    return room


def say(speaker: ChatPage, other: ChatPage, text: str) -> None:
    """Sends a message; both windows have it afterwards."""
    speaker.send(text)
    other.expect_stored(text)
    speaker.expect_stored(text)
