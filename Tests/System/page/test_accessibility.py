"""axe-core looks at every part of the page, in light and dark."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from chat_page import PHONE, make_room, post_message
from playwright.sync_api import expect


def check(chat, part):
    violations = Axe().run(chat.page, options={"resultTypes": ["violations"]}).response["violations"]
    found = [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in violations]
    assert found == [], f"{part}: {found}"


@pytest.fixture
def club(server):
    people = [f"guest-{number}" for number in range(8)]
    return make_room(server, "ada", "club", name="The club", participants=["ada", "ben", *people])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_conversation_and_all_that_opens_over_it(window, club, scheme):
    ada, ben = window(color_scheme=scheme, reduced_motion="reduce").enter("Ada", club), window().enter("Ben", club)
    ben.send("Hi **you**, `code` and ~~more~~ https://example.org\n- one\n- two\n```\nlet x\n```\n> said\n\n<@ada>")
    ada.expect_stored("Hi you")
    ada.send("mine")
    ben.expect_stored("mine")
    ada.page.locator("#text").press("ArrowUp")
    check(ada, "editing")
    ada.page.locator("#text").fill("mine, edited")
    ada.page.locator("#text").press("Enter")
    ben.react("mine, edited", "👍")
    ben.message("mine, edited").get_by_role("toolbar").get_by_role("button", name="Reply", exact=True).click()
    ben.page.keyboard.type("an answer")
    ben.page.keyboard.press("Enter")
    ada.expect_stored("an answer")
    expect(ada.message("mine, edited").locator(".reaction")).not_to_have_count(0)
    ada.send("to be deleted")
    ada.act("to be deleted", "Delete")
    check(ada, "a message that can still be brought back")
    ada.page.locator("#text").press_sequentially("@b")
    check(ada, "names to choose from")
    ada.write("")
    ada.message("an answer").locator(".body").hover()
    check(ada, "what can be done with a message")
    ada.message("an answer").get_by_role("button", name="More actions").click()
    check(ada, "a message's menu")
    ada.page.keyboard.press("Escape")
    ada.message("an answer").locator(".body").hover()
    ada.message("an answer").get_by_role("toolbar").get_by_role("button", name="Add a reaction").click()
    check(ada, "the emoji")
    ada.page.keyboard.press("Escape")
    ada.message("mine, edited").locator(".thread-link").click()
    expect(ada.page.locator("#thread-list .message")).to_have_count(2)
    check(ada, "a thread")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_panels_and_dialogs(window, club, scheme, server):
    ada = window(color_scheme=scheme, reduced_motion="reduce").enter("Ada", club)
    for number in range(3):
        post_message(server.url, f"guest-{number}", club, f"look here <@ada> {number}")
    ada.expect_stored("look here @Ada 2")
    check(ada, "the conversation")
    ada.page.locator('#people-list [data-user="guest-1"]').click()
    expect(ada.page.get_by_role("menuitem", name="Ban…")).to_be_visible()
    check(ada, "a person")
    ada.page.get_by_role("menuitem", name="Ban…").click()
    check(ada, "banning")
    ada.page.locator("#moderate-cancel").click()
    ada.page.locator("#show-search").click()
    ada.page.locator("#search-text").fill("look")
    expect(ada.page.locator("#search-results .result")).to_have_count(3)
    check(ada, "search results")
    ada.act("look here @Ada 2", "Pin")
    expect(ada.page.locator(".pinned-mark")).to_be_visible()
    ada.choose_for_room("Pinned messages")
    expect(ada.page.locator("#pins-list .result")).to_have_count(1)
    check(ada, "pinned messages")
    ada.choose_for_room("Room settings")
    check(ada, "room settings")
    ada.page.keyboard.press("Escape")
    ada.page.keyboard.press("Control+k")
    ada.page.keyboard.type("clu")
    check(ada, "the finder")
    ada.page.keyboard.press("Escape")
    ada.page.locator("#me").click()
    ada.page.locator(".shortcuts summary").click()
    check(ada, "settings")
    ada.page.keyboard.press("Escape")
    ada.page.locator("#new").click()
    ada.page.locator("#new-private").check()
    check(ada, "a new conversation")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_and_the_way_in(window, scheme):
    visitor = window(color_scheme=scheme, reduced_motion="reduce")
    visitor.page.goto(visitor.url)
    check(visitor, "signing in")
    ada = window(viewport=PHONE, has_touch=True, is_mobile=True, color_scheme=scheme, reduced_motion="reduce").enter("Ada")
    ada.send("from a phone")
    ada.expect_stored("from a phone")
    check(ada, "a phone")
    ada.page.locator("#show-rooms").tap()
    check(ada, "rooms on a phone")
    ada.page.locator('[data-room="lobby"]').tap()
    ada.page.locator("#show-people").tap()
    check(ada, "people on a phone")
