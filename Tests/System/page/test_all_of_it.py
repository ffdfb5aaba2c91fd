"""Two windows and a phone go through everything that the page can do, together; pictures of it are kept."""

import re

from chat_page import PHONE, make_room, post_message
from playwright.sync_api import expect
from test_sending_files import IMAGE, choose


def test_two_windows_and_a_phone_go_through_all_of_it(window, server, artifacts):
    make_room(server, "ada", "release", name="Release", participants=["ada", "ben", "cleo"])
    make_room(server, "dan", "garden")
    ada = window().enter("Ada", "release")
    ben = window(color_scheme="dark").enter("Ben", "release")
    cleo = window(viewport=PHONE, has_touch=True, is_mobile=True, device_scale_factor=2).enter("Cleo", "release")
    windows = (ada, ben, cleo)

    def keep(name):
        for chat, who in zip(windows, ("desktop", "dark", "phone")):
            chat.page.screenshot(path=artifacts / f"all-{name}-{who}.png")

    def all_see(text):
        for chat in windows:
            chat.expect_stored(text)

    # Light markdown, an edit by arrow up, read marks.
    ada.send("**Plan for today**\n- the `parser` first\n- then the *notes*")
    all_see("Plan for today")
    ada.send("Ready at fvie?")
    all_see("Ready at fvie?")
    ada.page.locator("#text").press("ArrowUp")
    ada.page.locator("#text").fill("Ready at five?")
    ada.page.locator("#text").press("Enter")
    all_see("Ready at five?")
    expect(ada.page.locator(".readers").last).to_have_attribute("aria-label", re.compile("Ben"))

    # Reactions, on the phone by a tap.
    ben.react("Ready at five?", "👍")
    cleo.message("Ready at five?").locator(".bubble").tap()
    cleo.message("Ready at five?").get_by_role("toolbar").get_by_role("button", name="Add a reaction").tap()
    cleo.page.get_by_role("button", name="party hooray").first.tap()
    for chat in windows:
        expect(chat.message("Ready at five?").locator(".reaction:not(.add)")).to_have_count(2)

    # An answer with a mention, and its thread.
    ben.message("Ready at five?").locator(".body").hover()
    ben.message("Ready at five?").get_by_role("toolbar").get_by_role("button", name="Reply", exact=True).click()
    ben.page.keyboard.type("Yes. @Cl")
    expect(ben.page.locator("#composer [role=option]")).to_have_count(1)
    ben.page.keyboard.press("Enter")
    ben.page.keyboard.type("has the figures")
    ben.page.keyboard.press("Enter")
    all_see("Yes. @Cleo has the figures")
    expect(cleo.page.locator(".mention.is-me")).to_have_text("@Cleo")
    keep("conversation")
    ada.message("Ready at five?").locator(".thread-link").click()
    cleo.message("Ready at five?").locator(".thread-link").tap()
    cleo.page.locator("#thread-text").fill("They are good")
    cleo.page.locator("#thread-composer .send").tap()
    expect(ada.page.locator("#thread-list .message")).to_have_count(3)
    keep("thread")
    cleo.page.locator("#thread .hide-side").tap()
    ada.page.keyboard.press("Escape")

    # A file, a pin, a deletion that is undone and one that is not.
    choose(ben, IMAGE)
    ben.write("From the roof")
    ben.page.locator("#text").press("Enter")
    for chat in windows:
        expect(chat.page.locator(".picture img")).to_have_js_property("naturalWidth", 640)
    ada.act("Plan for today", "Pin")
    for chat in windows:
        expect(chat.message("Plan for today").locator(".pinned-mark")).to_have_count(1)
    ben.send("wrong room, sorry")
    all_see("wrong room, sorry")
    ben.act("wrong room, sorry", "Delete")
    ben.page.get_by_role("button", name="Undo").click()
    ben.act("wrong room, sorry", "Delete")
    for chat in windows:
        expect(chat.page.locator(".stone")).to_have_text("This message was deleted")
    keep("files")

    # Search with a jump, pins, people, settings, the finder.
    ada.page.locator("#show-search").click()
    ada.page.locator("#search-text").fill("figures")
    ada.page.locator("#search-results .result").click()
    expect(ada.message("has the figures")).to_be_focused()
    ben.choose_for_room("Pinned messages")
    expect(ben.page.locator("#pins-list .result")).to_contain_text("Plan for today")
    cleo.page.locator("#show-people").tap()
    expect(cleo.page.locator("#people-list .person")).to_have_count(3)
    keep("panels")
    cleo.page.locator("#people .hide-side").tap()
    ada.page.keyboard.press("Escape")
    ada.page.keyboard.press("Escape")
    ada.choose_for_room("Room settings")
    ada.page.locator("#room-name").fill("Release day")
    keep("settings")
    ada.page.locator("#room-save").click()
    expect(ada.page.locator("#room-title")).to_have_text("Release day")

    # Another room, badges, drafts, and the way back.
    post_message(server.url, "dan", "garden", "the tomatoes are up 🌱")
    cleo.page.locator("#show-rooms").tap()
    cleo.page.locator("#find").tap()
    cleo.page.locator("#finder-text").fill("garden")
    keep("finder")
    cleo.page.keyboard.press("Enter")
    cleo.expect_stored("the tomatoes are up")
    cleo.write("a draft about tomatoes")
    ada.send("<@cleo> we are done")
    ben.expect_stored("@Cleo we are done")
    cleo.page.locator("#show-rooms").tap()
    row = cleo.page.locator('[data-room="release"]')
    expect(row.locator(".mention-badge")).to_have_count(1)
    keep("badges")
    row.tap()
    cleo.expect_stored("@Cleo we are done")
    cleo.page.go_back()
    expect(cleo.page.locator("#room-title")).to_have_text("garden")
    expect(cleo.page.locator("#text")).to_have_value("a draft about tomatoes")

    # The door.
    ada.choose_person("Ben", "Ban…")
    keep("ban")
    ada.page.locator("#moderate-confirm").click()
    expect(ben.page.locator("#room-subtitle")).to_contain_text("banned")
    keep("door")
