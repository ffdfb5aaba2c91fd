"""The page for operators in Chromium, on one and on two instances, on a desktop and on a phone."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from operating import ENVIRONMENT, KEY, SECRET, token_for
from support.deadline import TIMEOUT_SECONDS, eventually

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}

expect.set_options(timeout=TIMEOUT_SECONDS * 1000)


@pytest.fixture
def window(chromium, artifacts, request):
    """Opens the page of a server; afterwards none may have met a script error or asked another host."""
    pages: list[Page] = []
    errors: list[str] = []

    def note(message):
        if message.type == "error" and "Content Security Policy" in message.text:
            errors.append(message.text)

    def open_page(server, viewport=DESKTOP, **options) -> Page:
        context = chromium.new_context(viewport=viewport, locale="en-GB", **options)
        context.set_default_timeout(TIMEOUT_SECONDS * 1000)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", note)
        page.on("request", lambda each: each.url.startswith(server.url) or errors.append(each.url))
        page.goto(f"{server.url}/admin")
        pages.append(page)
        return page

    yield open_page
    for number, page in enumerate(pages, 1):
        page.screenshot(path=artifacts / f"{request.node.name}-{number}.png".replace(" ", "-"), full_page=True)
        page.context.close()
    assert errors == []


def sign_in(page: Page, secret: str = KEY, kind: str = "the service key", actor: str = "olga") -> Page:
    page.get_by_role("radio", name=kind).check()
    page.get_by_label("Key or token").fill(secret)
    page.get_by_label("Your user id").fill(actor)
    page.get_by_role("button", name="Sign in").click()
    return page


def open_view(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name).click()
    expect(page.get_by_role("tab", name=name)).to_have_attribute("aria-selected", "true")


def confirm(page: Page, verb: str) -> None:
    page.get_by_role("dialog").get_by_role("button", name=verb).click()


def check(page: Page, part: str) -> None:
    violations = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    found = [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in violations]
    assert found == [], f"{part}: {found}"


def fits(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_the_whole_fleet_at_a_glance(servers, window, make_chat, room):
    ada = make_chat(servers[-1], "ada", "Ada")
    ada.join(room)
    page = sign_in(window(servers[0]))
    expect(page.locator("#state")).to_have_text(f"{len(servers)} of {len(servers)} instances")
    expect(page.locator("#instances .card")).to_have_count(len(servers))
    last = servers[-1].env["INSTANCE_ID"]
    card = page.locator(f'#instances [data-instance="{last}"]')
    expect(card.get_by_role("list")).to_contain_text("store up for")
    expect(page.locator("#totals li", has_text="Sessions")).to_contain_text("1")
    expect(page.locator("#plots .plot")).to_have_count(8)

    def plotted():
        ada.send(room, "hello")
        points = page.locator("#plots .plot", has_text="Messages").locator("polyline")
        label = page.locator("#plots .plot", has_text="Messages").locator("b").inner_text()
        return points.count() > 0 and label not in ("–", "0/s")

    eventually(plotted, "the rate of messages is plotted")


def test_a_user_is_found_and_disconnected_and_banned(servers, window, make_chat, room):
    ada, ben = make_chat(servers[0], "ada"), make_chat(servers[-1], "ben")
    ben.join(room)
    page = sign_in(window(servers[0]))
    open_view(page, "Sessions")
    expect(page.locator("#sessions-list tbody tr")).to_have_count(2)
    page.get_by_label("User or name").fill("BE")
    page.locator("#sessions-form").get_by_role("button", name="Search").click()
    expect(page.locator("#sessions-list tbody tr")).to_have_count(1)
    expect(page.locator("#sessions-list")).to_contain_text(room)
    page.get_by_role("button", name="Disconnect ben").click()
    confirm(page, "Cancel")
    ben.settle()
    page.get_by_role("button", name="Disconnect ben").click()
    confirm(page, "Disconnect")
    expect(page.locator("#notice")).to_have_text("ben was disconnected.")
    ben.expect_close(4401)
    expect(page.locator("#sessions-list tbody tr")).to_have_count(0)
    page.get_by_label("User or name").fill("")
    page.locator("#sessions-form").get_by_role("button", name="Search").click()
    page.get_by_role("button", name="Ban ada").click()
    page.get_by_role("dialog").get_by_label("For").select_option("a day")
    page.get_by_role("dialog").get_by_label("Reason").fill("spam")
    confirm(page, "Ban")
    expect(page.locator("#notice")).to_have_text("ada is banned.")
    ada.expect_close(4403)
    ban = servers[0].get("/internal/bans", headers={"X-Service-Key": KEY}).json()["bans"][0]
    assert ban["userId"] == "ada" and ban["reason"] == "spam" and ban["until"] > ban["timestamp"]
    open_view(page, "Audit log")
    rows = page.locator("#audit-list tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("user_ban")
    expect(rows.first).to_contain_text("olga (service)")
    expect(rows.first).to_contain_text("127.0.0.1")
    page.get_by_label("About user").fill("ben")
    page.locator("#audit-form").get_by_role("button", name="Search").click()
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("kick")


def test_a_message_is_deleted_and_its_author_muted(servers, window, make_chat, room):
    ada, ben = make_chat(servers[0], "ada"), make_chat(servers[-1], "ben")
    ada.join(room)
    ben.join(room)
    ben.send(room, "<b>to be deleted</b>")
    ada.expect("new_message")
    page = sign_in(window(servers[0]))
    open_view(page, "Rooms")
    page.get_by_role("button", name=f"Messages of {room}").click()
    expect(page.locator("#room")).to_contain_text("<b>to be deleted</b>")
    page.get_by_role("button", name="Delete message 1").click()
    confirm(page, "Delete")
    expect(page.locator("#notice")).to_have_text("Message 1 was deleted.")
    ada.expect("message_deleted")
    expect(page.locator("#room td em")).to_have_text("deleted")
    page.locator("#room").get_by_role("button", name="Mute ben").click()
    confirm(page, "Mute")
    expect(page.locator("#notice")).to_have_text(f"ben is muted in {room}.")
    answer = servers[-1].post(f"/api/chat/{room}/messages", json={"message": "x"}, headers={"X-User-Id": "ben"})
    assert answer.json()["code"] == "muted"


def test_an_instance_is_drained_from_the_page(servers, window, make_chat):
    page = sign_in(window(servers[0]))
    ada = make_chat(servers[-1], "ada")
    name = servers[-1].env["INSTANCE_ID"]
    page.get_by_role("button", name=f"Drain {name}").click()
    confirm(page, "Drain")
    ada.expect_close(1012)
    card = page.locator(f'#instances [data-instance="{name}"]')
    expect(card.locator(".warn").first).to_have_text("draining")


def test_an_instance_that_does_not_answer_is_named_on_the_page(pair, window):
    page = sign_in(window(pair.servers[0]))
    expect(page.locator("#state")).to_have_text("2 of 2 instances")
    pair.servers[1].pause()
    expect(page.locator("#state")).to_have_text("1 of 2 instances; no answer from instance-2")
    pair.servers[1].unpause()
    expect(page.locator("#state")).to_have_text("2 of 2 instances")


@pytest.fixture
def guarded(make_server):
    return make_server(ENVIRONMENT | {"AUTH_MODE": "token", "JWT_SECRET": SECRET, "ADMIN_ROLE": "chat-admin"})


def test_wrong_keys_and_tokens_do_not_sign_in(guarded, window):
    page = sign_in(window(guarded), "a guess")
    expect(page.get_by_role("alert")).to_have_text("This key or token is not accepted.")
    token = token_for("ben", "chat-user")
    sign_in(page, token, "an administrator's token")
    expect(page.get_by_role("alert")).to_have_text("This key or token is not accepted.")
    expect(page.locator("#workplace")).to_be_hidden()
    sign_in(page, token_for("olga", "chat-admin"), "an administrator's token")
    expect(page.locator("#state")).to_have_text("1 of 1 instances")
    open_view(page, "Audit log")
    expect(page.locator("#audit-list tbody tr")).to_have_count(1)
    expect(page.locator("#audit-list tbody tr").first).to_contain_text("login, refused")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Key or token")).to_be_visible()
    expect(page.get_by_label("Key or token")).to_have_value("")


def test_a_token_in_the_address_is_refused(guarded):
    for query in (f"token={token_for('olga', 'chat-admin')}", f"key={KEY}"):
        answer = guarded.get(f"/admin?{query}")
        assert answer.status_code == 400 and answer.json()["code"] == "bad_request", query
        assert guarded.get(f"/admin/app.js?{query}").status_code == 400
    assert guarded.get("/admin").status_code == guarded.get("/admin/").status_code == 200
    assert guarded.get("/admin/").text == guarded.get("/admin").text
    assert guarded.get("/admin/../secret").status_code == 404


@pytest.mark.parametrize(
    ("environment", "status"),
    [({}, 200), ({"ADMIN": "off"}, 404), ({"HOST": "0.0.0.0", "ADMIN": ""}, 404), ({"HOST": "0.0.0.0"}, 200),
     ({"HOST": "127.0.0.1", "ADMIN": ""}, 200)],
)  # fmt: skip
def test_the_page_is_served_where_it_is_wanted(make_server, environment, status):
    server = make_server(ENVIRONMENT | environment)
    assert server.get("/admin").status_code == status
    assert server.get("/internal/stats", headers={"X-Service-Key": KEY}).status_code == 200


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_every_view_is_accessible_and_fits(guarded, window, make_chat, viewport, scheme):
    long = "a-user-with-a-name-" + "x" * 100
    chat = make_chat(guarded)
    chat.authenticate_with(token_for(long))
    chat.join("a-room-" + "y" * 100)
    chat.send("a-room-" + "y" * 100, "z" * 300)
    page = window(guarded, viewport, color_scheme=scheme, reduced_motion="reduce")
    check(page, "signing in")
    sign_in(page)
    expect(page.locator("#state")).to_have_text("1 of 1 instances")
    expect(page.locator("#slow")).to_contain_text("No client has bytes waiting.")
    check(page, "overview")
    assert fits(page)
    open_view(page, "Sessions")
    expect(page.locator("#sessions-list tbody tr")).to_have_count(1)
    check(page, "sessions")
    assert fits(page)
    page.get_by_role("button", name=f"Ban {long}").click()
    check(page, "the dialog")
    confirm(page, "Cancel")
    open_view(page, "Rooms")
    page.get_by_role("button", name="Messages of").click()
    expect(page.locator("#room")).to_contain_text("zzz")
    check(page, "rooms")
    assert fits(page)
    open_view(page, "Audit log")
    expect(page.locator("#audit-list table")).to_be_visible()
    check(page, "audit log")
    assert fits(page)


def test_the_tabs_are_reached_with_the_keyboard(guarded, window):
    page = sign_in(window(guarded))
    expect(page.locator("#state")).to_have_text("1 of 1 instances")
    expect(page.get_by_role("tab", name="Overview")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Sessions")).to_be_focused()
    expect(page.locator("#sessions")).to_be_visible()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("tab", name="Audit log")).to_be_focused()
