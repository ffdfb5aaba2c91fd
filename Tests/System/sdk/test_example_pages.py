"""The testing clients of examples/, driven in Chromium as a developer would, from an origin of their own."""

import functools
import http.server
import json
import threading

import pytest
from playwright.sync_api import Page, expect

from support.deadline import TIMEOUT_SECONDS
from support.server import ROOT, free_port

SERVICE_KEY = "a-service-key-for-the-example-pages"
TIMEOUT = TIMEOUT_SECONDS * 1000


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def origin():
    files = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(ROOT)))
    threading.Thread(target=files.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{files.server_port}"
    files.shutdown()
    files.server_close()


@pytest.fixture
def server(make_server, origin):
    env = {"CORS_ORIGIN": origin, "INTERNAL_PORT": str(free_port()), "SERVICE_API_KEY": SERVICE_KEY}
    return make_server(env)


@pytest.fixture
def open_page(chromium, origin):
    context = chromium.new_context()
    context.set_default_timeout(TIMEOUT)
    errors: list[str] = []

    def open_page(name: str) -> Page:
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{origin}/examples/{name}")
        return page

    yield open_page
    context.close()
    assert errors == []


def enter(open_page, server, user: str) -> Page:
    page = open_page("user.html")
    page.locator("#url").fill(server.url)
    page.locator("#user").fill(user)
    page.get_by_role("button", name="Connect").click()
    expect(page.locator("#state")).to_have_text(f"Connected as {user}", timeout=TIMEOUT)
    return page


def logged(page: Page, name: str):
    """The newest entry of that name."""
    line = page.locator(f'#log [data-name="{name}"]').first
    return json.loads(line.inner_text(timeout=TIMEOUT).split("  ", 2)[2])


def send(page: Page, recipients: str, message: str, metadata: str) -> None:
    for field, value in {"recipients": recipients, "message": message, "metadata": metadata}.items():
        page.locator(f"#{field}").fill(value)
    page.get_by_role("button", name="Send message").click()


def test_two_users_send_straight_to_each_other(open_page, server):
    ada, ben = enter(open_page, server, "ada"), enter(open_page, server, "ben")
    send(ada, "ben, nemo", "hello Ben", '{"type":"chat"}')
    assert logged(ben, "message")["message"] == "hello Ben"
    assert logged(ben, "message")["metadata"] == {"type": "chat"}
    answer = logged(ada, "send_message")
    assert answer["status"] == "sent" and answer["recipients"] == {"total": 2, "sent": ["ben"], "failed": ["nemo"]}


def test_statuses_and_lists_of_online_users(open_page, server):
    for path in ("/api/users/ada/friends/ben",):
        assert server.put(path, headers={"X-Service-Key": SERVICE_KEY}).status_code == 200
    ada, ben = enter(open_page, server, "ada"), enter(open_page, server, "ben")
    ada.get_by_role("button", name="Follow friends' statuses").click()
    assert logged(ada, "presence_snapshot")["users"][0]["userId"] == "ben"
    ben.locator("#status").select_option("busy")
    assert logged(ada, "user_status_change")["status"] == "busy"
    ada.get_by_role("button", name="Online friends").click()
    assert [user["userId"] for user in logged(ada, "get_online_users")] == ["ben"]
    ada.get_by_role("button", name="All online users").click()
    assert sorted(logged(ada, "get_all_online_users")) == ["ada", "ben"]
    ada.get_by_role("button", name="Online users in detail").click()
    assert [user["status"] for user in logged(ada, "get_detailed_online_users")] == ["online", "busy"]


def test_a_refused_user_sees_why(open_page, server):
    page = open_page("user.html")
    page.locator("#url").fill(server.url)
    page.locator("#token").fill("not-a-token")
    page.get_by_role("button", name="Connect").click()
    assert logged(page, "authenticate refused")["code"] == "unauthorized"


def test_a_service_sends_to_users_and_sees_the_delivery(open_page, server):
    ada = enter(open_page, server, "ada")
    service = open_page("internal.html")
    service.locator("#url").fill(f"http://127.0.0.1:{server.env['INTERNAL_PORT']}")
    service.locator("#key").fill("wrong")
    service.get_by_role("button", name="Connect").click()
    assert logged(service, "connect refused")["code"] == "unauthorized"
    service.locator("#key").fill(SERVICE_KEY)
    service.get_by_role("button", name="Connect").click()
    expect(service.locator("#state")).to_have_text("Connected as notification_service", timeout=TIMEOUT)
    assert logged(service, "connected")["socketId"]
    send(service, "ada, nemo", "your order has shipped", '{"type":"notification"}')
    message = logged(ada, "message")
    assert message["senderId"] == "notification_service" and message["message"] == "your order has shipped"
    assert message["metadata"] == {"type": "notification", "serviceName": "notification_service"}
    assert logged(service, "send_message")["recipients"] == {"total": 2, "sent": ["ada"], "failed": ["nemo"]}
