"""Searching messages, and the jump to where one stands, however long ago it was."""

import pytest
from chat_page import make_room, post_message
from playwright.sync_api import expect

COUNT = 320


@pytest.fixture
def long_room(server):
    make_room(server, "clerk", "barn")
    for number in range(1, COUNT + 1):
        text = "the needle in the haystack" if number == 60 else f"hay number {number}"
        post_message(server.url, "clerk", "barn", text)
    return "barn"


def find(chat, words, scope="This room"):
    if not chat.page.locator("#search").is_visible():
        chat.page.locator("#show-search").click()
    chat.page.locator("#search").get_by_text(scope, exact=True).click()
    chat.page.locator("#search-text").fill(words)
    return chat.page.locator("#search-results .result")


def test_a_found_message_is_shown_in_its_place_and_the_way_back_leads_to_the_end(window, long_room):
    ada = window().enter("Ada", long_room)
    ada.expect_stored(f"hay number {COUNT}")
    results = find(ada, "needle")
    expect(results).to_have_count(1)
    expect(results.locator("mark")).to_have_text("needle")
    results.click()
    needle = ada.message("the needle in the haystack")
    expect(needle).to_be_in_viewport()
    expect(needle).to_be_focused()
    expect(ada.message("hay number 59")).to_be_in_viewport()
    expect(ada.page.locator(f'#messages [data-seq="{COUNT}"]')).to_have_count(0)

    post_message(ada.url, "clerk", long_room, "written meanwhile")
    expect(ada.page.locator("#jump")).to_have_text("1 new")
    ada.page.locator("#jump").click()
    expect(ada.message("written meanwhile")).to_be_in_viewport()
    expect(ada.page.locator("#jump")).to_be_hidden()


def test_scrolling_on_from_the_past_reaches_the_present(window, long_room):
    ada = window().enter("Ada", long_room)
    find(ada, "needle").click()
    expect(ada.message("the needle in the haystack")).to_be_in_viewport()
    last = ada.page.locator(f'#messages [data-seq="{COUNT}"]')
    for _ in range(200):
        if last.count():
            break
        ada.page.locator("#scroller").evaluate("element => { element.scrollTop = element.scrollHeight }")
        ada.page.wait_for_timeout(50)
    ada.expect_gapless()
    post_message(ada.url, "clerk", long_room, "live again")
    ada.expect_stored("live again")


def test_all_rooms_are_searched_when_asked(window, server):
    make_room(server, "ben", "garden")
    post_message(server.url, "ben", "garden", "the tomatoes are ripe")
    ada = window().enter("Ada", "garden")
    ada.expect_stored("the tomatoes are ripe")
    ada.page.locator("#new").click()
    ada.page.locator("#new-name").fill("kitchen")
    ada.page.locator("#new-open").click()
    expect(ada.page.locator("#room-title")).to_have_text("kitchen")
    results = find(ada, "tomatoes")
    expect(ada.page.locator("#search-status")).to_have_text("Nothing was found.")
    find(ada, "tomatoes", "All rooms")
    expect(results).to_contain_text("garden")
    results.click()
    expect(ada.page.locator("#room-title")).to_have_text("garden")
    expect(ada.message("the tomatoes are ripe")).to_be_focused()
