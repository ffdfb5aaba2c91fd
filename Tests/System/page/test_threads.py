"""Answers: quoted in the room, gathered in a thread; and people called by name."""

import re

from chat_page import make_room, post_message, say
from playwright.sync_api import expect


def reply(chat, text, answer):
    chat.message(text).locator(".body").hover()
    chat.message(text).get_by_role("toolbar").get_by_role("button", name="Reply", exact=True).click()
    chat.page.keyboard.type(answer)
    chat.page.keyboard.press("Enter")


def test_an_answer_quotes_and_leads_to_what_it_answers(pair):
    ada, ben = pair
    say(ada, ben, "who brings the cake?")
    for number in range(30):
        say(ada, ben, f"in between {number}")
    ben.page.locator("#scroller").evaluate("element => { element.scrollTop = 0 }")
    reply(ben, "who brings the cake?", "me")
    expect(ada.message("me").last.locator(".quote")).to_contain_text("who brings the cake?")
    expect(ada.message("who brings the cake?")).not_to_be_in_viewport()
    ada.page.locator(".quote").click()
    expect(ada.message("who brings the cake?")).to_be_in_viewport()
    expect(ada.message("who brings the cake?")).to_be_focused()


def test_a_quote_of_long_ago_is_fetched_and_leads_there(window, server):
    make_room(server, "ben", "lobby")
    first = post_message(server.url, "ben", "lobby", "how it all began")
    for number in range(150):
        post_message(server.url, "ben", "lobby", f"later {number}")
    post_message(server.url, "cleo", "lobby", "remember?", replyTo=first["messageId"])
    ada = window().enter("Ada")
    quote = ada.message("remember?").locator(".quote")
    expect(quote).to_contain_text("how it all began")
    quote.click()
    expect(ada.message("how it all began")).to_be_focused()
    expect(ada.message("how it all began")).to_be_in_viewport()
    expect(ada.message("remember?")).to_have_count(0)
    ada.page.locator("#jump").click()
    expect(ada.message("remember?")).to_be_in_viewport()


def test_a_thread_gathers_answers_live(pair):
    ada, ben = pair
    say(ada, ben, "shall we meet?")
    reply(ben, "shall we meet?", "on Monday")
    link = ada.message("shall we meet?").locator(".thread-link")
    expect(link).to_have_text("1 reply")
    link.click()
    rows = ada.page.locator("#thread-list .message")
    expect(rows).to_have_count(2)
    ada.page.locator("#thread-text").fill("Tuesday is better")
    ada.page.locator("#thread-text").press("Enter")
    expect(rows).to_have_count(3)
    expect(link).to_have_text("2 replies")
    expect(ben.message("Tuesday is better").locator(".quote")).to_contain_text("shall we meet?")
    reply(ben, "shall we meet?", "fine")
    expect(rows).to_have_count(4)
    ben.page.locator("#text").press("ArrowUp")
    ben.page.locator("#text").fill("fine with me")
    ben.page.locator("#text").press("Enter")
    expect(rows.last).to_contain_text("fine with me")
    expect(ada.page.locator("#thread-status")).to_have_text("3 replies")
    ada.page.keyboard.press("Escape")
    expect(ada.page.locator("#thread")).to_be_hidden()
    expect(ada.page.locator("#people")).to_be_visible()


def test_a_thread_keeps_its_own_draft(pair):
    ada, ben = pair
    say(ben, ada, "a question")
    ada.write("in the room")
    ada.act("a question", "Open thread")
    ada.page.locator("#thread-text").fill("in the thread")
    ada.page.keyboard.press("Escape")
    expect(ada.page.locator("#text")).to_have_value("in the room")
    ada.act("a question", "Open thread")
    expect(ada.page.locator("#thread-text")).to_have_value("in the thread")


def test_a_deleted_message_is_not_quoted_any_more(pair):
    ada, ben = pair
    say(ada, ben, "regretted words")
    reply(ben, "regretted words", "what do you mean?")
    ada.expect_stored("what do you mean?")
    ada.act("regretted words", "Delete")
    expect(ben.message("what do you mean?").locator(".quote")).to_contain_text("Deleted message")
    assert "regretted words" not in ben.page.locator("#app").inner_text()


def test_names_are_completed_and_reach_the_person(pair):
    ada, ben = pair
    ben.page.locator("#text").press_sequentially("well done @a")
    options = ben.page.locator("#composer [role=option]")
    expect(options).to_have_count(1)
    expect(ben.page.locator("#text")).to_have_attribute("aria-activedescendant", re.compile("."))
    ben.page.keyboard.press("Enter")
    expect(options).to_have_count(0)
    expect(ben.page.locator("#text")).to_have_value("well done @Ada ")
    ben.page.keyboard.press("Enter")
    expect(ada.message("well done").locator(".mention.is-me")).to_have_text("@Ada")
    expect(ben.message("well done").locator(".mention")).to_have_text("@Ada")
    ben.page.locator("#text").press("ArrowUp")
    expect(ben.page.locator("#text")).to_have_value("well done @Ada")
    ben.page.locator("#text").fill("very well done @Ada")
    ben.page.locator("#text").press("Enter")
    expect(ada.message("very well done").locator(".mention.is-me")).to_have_text("@Ada")


def test_escape_closes_the_names_and_keeps_the_text(pair):
    ada, _ = pair
    ada.page.locator("#text").press_sequentially("mail me @b")
    expect(ada.page.locator("#composer [role=option]")).to_have_count(1)
    ada.page.keyboard.press("Escape")
    expect(ada.page.locator("#composer [role=option]")).to_have_count(0)
    expect(ada.page.locator("#text")).to_have_value("mail me @b")
