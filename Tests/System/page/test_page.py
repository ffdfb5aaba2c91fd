"""The chat page in Chromium, against a running server."""

import re

import pytest
from playwright.sync_api import expect

from chat_page import PHONE, post_message
from support.page import PAGE


def test_two_windows_chat_at_once(window, artifacts):
    ada, ben = window().enter("Ada"), window().enter("Ben")
    expect(ada.page.locator("#people-list")).to_contain_text("Ben")
    expect(ben.page.locator("#people-list")).to_contain_text("Ada")

    ada.send("Hello from here, see https://example.org/a?b=c.")
    ben.expect_stored("Hello from here")
    ben.send("Hello back <b>not bold</b>")
    ada.expect_stored("Hello back <b>not bold</b>")
    ada.expect_stored("Hello from here")

    assert ada.texts() == ben.texts()
    ada.expect_gapless()
    link = ben.message("Hello from here").locator("a")
    expect(link).to_have_attribute("href", "https://example.org/a?b=c")
    expect(ada.message("Hello back").locator("b")).to_have_count(0)
    ada.page.screenshot(path=artifacts / "two-windows-ada.png")
    ben.page.screenshot(path=artifacts / "two-windows-ben.png")


def test_typing_is_seen_and_ends(window):
    ada, ben = window().enter("Ada"), window().enter("Ben")
    ada.page.locator("#text").press_sequentially("I am thinking")
    expect(ben.page.locator("#typing")).to_have_text("Ada is typing…")
    ada.write("")
    expect(ben.page.locator("#typing")).to_have_text("")
    ada.page.locator("#text").press_sequentially("Done")
    expect(ben.page.locator("#typing")).to_have_text("Ada is typing…")
    ada.page.locator("#text").press("Enter")
    expect(ben.page.locator("#typing")).to_have_text("")


def test_read_marks_show_the_readers(window):
    ada, ben = window().enter("Ada"), window().enter("Ben")
    ada.send("Have you read this?")
    ben.expect_stored("Have you read this?")
    expect(ada.message("Have you read this?").locator(".readers")).to_have_attribute("aria-label", "Read by Ben")


def test_nothing_is_lost_or_doubled_across_a_restart(window, server):
    ada, ben = window().enter("Ada"), window().enter("Ben")
    ada.send("before the crash")
    ben.expect_stored("before the crash")

    server.kill()
    expect(ada.page.locator("#banner")).to_contain_text("Reconnecting")
    for number in range(3):
        ada.send(f"written while down {number}")
    expect(ada.page.locator('.message[data-state="waiting"]')).to_have_count(3)
    ada.message("written while down 2").get_by_text("Retry now").click()
    expect(ada.page.locator('.message[data-state="waiting"]')).to_have_count(3)

    server.restart()
    for number in range(3):
        ada.expect_stored(f"written while down {number}")
        ben.expect_stored(f"written while down {number}")
    ada.send("after the crash")
    ben.expect_stored("after the crash")

    expected = ["before the crash", *(f"written while down {n}" for n in range(3)), "after the crash"]
    assert ada.texts() == expected
    assert ben.texts() == expected
    ada.expect_gapless()
    ben.expect_gapless()


def test_unsent_messages_survive_a_reload(window, server):
    ada, ben = window().enter("Ada"), window().enter("Ben")
    server.kill()
    expect(ada.page.locator("#banner")).to_contain_text("Reconnecting")
    ada.send("kept in the tab")
    server.restart()
    ada.page.reload()
    ada.expect_online()
    ada.expect_stored("kept in the tab")
    ben.expect_stored("kept in the tab")


def test_a_hundred_messages_written_offline_go_out_in_order(window, make_server):
    server = make_server(PAGE | {"RATE_LIMIT_MESSAGES": "20"})
    ada, ben = window(server=server).enter("Ada"), window(server=server).enter("Ben")
    ada.page.context.set_offline(True)
    expect(ada.page.locator("#banner")).to_contain_text("You are offline")
    texts = [f"written offline {number:03}" for number in range(100)]
    for text in texts:
        ada.send(text)
    ada.page.context.set_offline(False)
    ben.expect_stored(texts[-1])
    ada.expect_stored(texts[-1])
    assert ben.texts() == ada.texts() == texts
    ada.expect_gapless()


def test_missed_messages_come_with_a_banner(window):
    ada, ben = window().enter("Ada"), window().enter("Ben")
    ada.send("the last one Ben sees live")
    ben.expect_stored("the last one Ben sees live")

    ben.page.context.set_offline(True)
    expect(ben.page.locator("#banner")).to_contain_text("You are offline")
    for number in range(3):
        ada.send(f"missed {number}")
        ada.expect_stored(f"missed {number}")
    ben.page.context.set_offline(False)

    expect(ben.page.locator("#banner")).to_contain_text("Back online · 3 missed messages")
    assert ben.texts() == ada.texts()
    ben.expect_gapless()


def test_a_long_absence_shows_the_newest_and_keeps_the_rest_in_reach(window):
    ada = window().enter("Ada", "busy")
    ada.send("the last one seen")
    ada.expect_stored("the last one seen")
    ada.page.context.set_offline(True)
    expect(ada.page.locator("#banner")).to_contain_text("You are offline")
    for number in range(1, 1006):
        post_message(ada.url, "clerk", "busy", f"entry {number}")
    ada.page.context.set_offline(False)
    expect(ada.page.locator("#banner")).to_contain_text("scroll up for the rest")
    ada.expect_stored("entry 1005")
    ada.expect_gapless()
    first = ada.sequence()[0]
    assert first > 900
    ada.page.locator("#scroller").evaluate("element => { element.scrollTop = 0 }")
    expect(ada.page.locator(f'#messages [data-seq="{first - 50}"]')).to_have_count(1)
    ada.expect_gapless()


def test_history_comes_on_scroll_up_and_the_view_keeps_its_place(window):
    ada = window().enter("Ada", "long")
    for number in range(1, 131):
        ada.page.evaluate("text => { document.getElementById('text').value = text }", f"line {number}")
        ada.page.locator("#composer").evaluate("form => form.requestSubmit()")
        if number % 20 == 0:
            ada.expect_stored(f"line {number}")
    ada.expect_stored("line 130")

    ben = window().enter("Ben", "long")
    ben.expect_stored("line 130")
    scroller = ben.page.locator("#scroller")
    assert ben.sequence()[-1] == 130 and ben.sequence()[0] > 50
    first = ben.sequence()[0]
    scroller.evaluate("element => { element.scrollTop = 0 }")
    expect(ben.page.locator(f'#messages [data-seq="{first - 50}"]')).to_have_count(1)
    anchor = ben.page.locator(f'#messages [data-seq="{first}"]')
    expect(anchor).to_be_in_viewport()

    ben.page.locator("#text").focus()
    for _ in range(60):
        if 1 in ben.sequence():
            break
        ben.page.keyboard.press("PageUp")
        ben.page.wait_for_timeout(100)
    assert ben.sequence() == list(range(1, 131))
    expect(ben.page.locator("#older")).to_contain_text("This is where it began")
    ben.page.locator("#jump").click()
    expect(ben.message("line 130")).to_be_in_viewport()


def test_unread_rooms_carry_a_badge(window):
    ada, ben = window().enter("Ada", "lobby"), window().enter("Ben", "lobby")
    ben.page.locator("#new").click()
    ben.page.locator("#new-name").fill("garden")
    ben.page.locator("#new-open").click()
    expect(ben.page.locator("#room-title")).to_have_text("garden")
    ada.send("psst, over here")
    badge = ben.page.locator('[data-room="lobby"] .badge')
    expect(badge).to_have_text("1")
    expect(ben.page).to_have_title(re.compile(r"^\(1\) "))
    ben.page.locator('[data-room="lobby"]').click()
    expect(ben.message("psst, over here")).to_be_in_viewport()
    expect(badge).to_have_count(0)


def test_a_direct_chat_reaches_the_other(window):
    ada, ben = window().enter("Ada"), window().enter("Ben")
    ada.open_direct("Ben")
    ada.send("just between us")
    ada.expect_stored("just between us")
    expect(ada.page.locator("#room-subtitle")).to_have_text(re.compile("^(Online|Here now)$"))
    ben.page.locator('[data-room="direct:ada:ben"]').click()
    ben.expect_stored("just between us")
    expect(ben.page.locator("#room-title")).to_have_text("Ada")


def test_a_closed_direct_chat_comes_back_with_the_next_message(window):
    ada, ben = window().enter("Ada"), window().enter("Ben")
    ada.open_direct("Ben")
    ada.send("first")
    row = ben.page.locator('[data-room="direct:ada:ben"]')
    row.click()
    ben.expect_stored("first")
    expect(ada.page.locator("#room-subtitle")).to_have_text("Here now")
    ben.choose_for_room("Close this chat")
    expect(row).to_have_count(0)
    expect(ada.page.locator("#room-subtitle")).to_have_text("Online")
    ada.send("second")
    ada.expect_stored("second")
    ben.page.evaluate("window.dispatchEvent(new Event('focus'))")
    row.click()
    ben.expect_stored("second")


def test_leaving_a_room_is_for_good(window):
    ada = window().enter("Ada", "garden")
    ada.send("bye")
    ada.expect_stored("bye")
    ada.choose_for_room("Leave this room")
    expect(ada.page.locator("#leave-hint")).to_contain_text("come in again by its name")
    ada.page.get_by_role("button", name="Stay").click()
    expect(ada.page.locator("#room-title")).to_have_text("garden")
    ada.choose_for_room("Leave this room")
    ada.page.locator("#leave-confirm").click()
    expect(ada.page.locator("#room-title")).to_have_text("No room open")
    ada.enter("Ada", "lobby")
    expect(ada.page.locator('[data-room="lobby"]')).to_be_visible()
    expect(ada.page.locator('[data-room="garden"]')).to_have_count(0)


def test_a_private_room_is_open_to_the_invited_only(window):
    ada, ben, eve = window().enter("Ada"), window().enter("Ben"), window().enter("Eve")
    ada.page.locator("#new").click()
    ada.page.locator("#new-name").fill("Surprise Party")
    ada.page.locator("#new-private").check()
    ada.page.locator("#new-invite").fill("Ben")
    ada.page.locator("#new-open").click()
    expect(ada.page.locator("#room-title")).to_have_text("Surprise Party")
    ada.send("not a word to Eve")
    ada.expect_stored("not a word to Eve")
    ben.page.locator('[data-room="surprise-party"]').click()
    ben.expect_stored("not a word to Eve")
    ben.choose_for_room("Leave this room")
    expect(ben.page.locator("#leave-hint")).to_contain_text("It is private")
    ben.page.get_by_role("button", name="Stay").click()
    eve.page.goto(f"{eve.url}/?user=Eve&room=surprise-party")
    expect(eve.page.locator("#room-subtitle")).to_contain_text("forbidden")
    expect(eve.page.locator("#text")).to_be_disabled()


def test_a_bad_token_is_explained_and_stays_out_of_the_address(window):
    visitor = window()
    visitor.page.goto(visitor.url)
    visitor.page.get_by_text("With a token").click()
    visitor.page.locator("#token").fill("not-a-token")
    visitor.page.locator("#sign-in-button").click()
    expect(visitor.page.locator("#sign-in-error")).to_contain_text("unauthorized")
    expect(visitor.page.locator("#app")).to_be_hidden()
    assert "not-a-token" not in visitor.page.url


def test_sign_in_by_name_is_remembered(window):
    ada = window()
    ada.page.goto(ada.url)
    ada.page.locator("#name").fill("Ada Lovelace")
    ada.page.locator("#name").press("Enter")
    ada.expect_online()
    assert "user=Ada+Lovelace" in ada.page.url
    expect(ada.page.locator("#people-list")).to_contain_text("Ada Lovelace")
    ada.page.reload()
    ada.expect_online()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone(window, artifacts, scheme):
    ada = window(viewport=PHONE, has_touch=True, is_mobile=True, color_scheme=scheme).enter("Ada")
    expect(ada.page.locator("#rooms")).not_to_be_in_viewport()
    ada.send("written on a phone")
    ada.expect_stored("written on a phone")
    assert ada.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    ada.page.screenshot(path=artifacts / f"phone-{scheme}.png")

    ada.page.locator("#show-rooms").click()
    expect(ada.page.locator("#rooms")).to_be_in_viewport()
    ada.page.locator('[data-room="lobby"]').click()
    expect(ada.page.locator("#rooms")).not_to_be_in_viewport()
    ada.page.locator("#show-people").click()
    expect(ada.page.locator("#people-list")).to_be_in_viewport()
    ada.page.keyboard.press("Escape")
    expect(ada.page.locator("#people-list")).not_to_be_in_viewport()


def test_messages_posted_elsewhere_arrive(window):
    ada = window().enter("Ada")
    for number in range(5):
        post_message(ada.url, "clerk", "lobby", f"by REST {number}")
    ada.expect_stored("by REST 4")
    assert ada.texts() == [f"by REST {number}" for number in range(5)]


def test_a_status_is_set_and_seen_and_last_seen_stays(window):
    ada, ben = window().enter("Ada"), window().enter("Ben")
    expect(ben.page.locator("#people-list")).to_contain_text("Ada")
    ada.page.locator("#me").click()
    ada.page.locator("#status").select_option("busy")
    expect(ben.page.locator("#people-list .status-dot.is-busy")).to_have_count(1)
    expect(ben.page.locator("#people-list")).to_contain_text("busy")
    expect(ada.page.locator("#me .status-dot.is-busy")).to_have_count(1)
    expect(ada.page.locator("#me")).to_contain_text("Connected · Busy")
    ben.open_direct("Ada")
    expect(ben.page.locator("#room-subtitle")).to_have_text("Busy")
    ada.page.goto("about:blank")
    expect(ben.page.locator("#room-subtitle")).to_contain_text("Last seen today at")
