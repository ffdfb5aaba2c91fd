"""A message after it was sent: changed, taken back, reacted to, pinned; seen by everybody at once."""

import re

from chat_page import make_room, post_message, say
from playwright.sync_api import expect


def test_an_arrow_up_changes_the_last_message(pair):
    ada, ben = pair
    say(ada, ben, "the frist version")
    say(ben, ada, "not Ada's")
    ada.page.locator("#text").press("ArrowUp")
    expect(ada.page.locator("#composer .composing")).to_contain_text("Edit your message")
    expect(ada.page.locator("#text")).to_have_value("the frist version")
    ada.page.locator("#text").fill("the first version")
    ada.page.locator("#text").press("Enter")
    for chat in pair:
        expect(chat.message("the first version").locator(".edited")).to_have_text("edited")
        expect(chat.message("frist")).to_have_count(0)
    expect(ada.page.locator("#text")).to_have_value("")
    expect(ada.page.locator("#composer .composing")).to_be_hidden()


def test_editing_keeps_the_draft_and_can_be_given_up(pair):
    ada, ben = pair
    say(ada, ben, "as it is")
    ada.write("a draft")
    ada.act("as it is", "Edit")
    ada.page.locator("#text").fill("never mind")
    ada.page.locator("#text").press("Escape")
    expect(ada.page.locator("#text")).to_have_value("a draft")
    expect(ben.message("as it is").locator(".edited")).to_have_count(0)


def test_a_deletion_can_be_undone_for_a_while(pair):
    ada, ben = pair
    say(ada, ben, "said too soon")
    ada.act("said too soon", "Delete")
    expect(ada.page.locator(".stone")).to_contain_text("Message deleted")
    ada.page.get_by_role("button", name="Undo").click()
    expect(ada.message("said too soon")).to_have_count(1)
    ada.act("said too soon", "Delete")
    expect(ben.page.locator(".stone")).to_have_text("This message was deleted")
    expect(ben.message("said too soon")).to_have_count(0)
    expect(ben.page.locator('[data-room="lobby"]')).to_contain_text("Message deleted")
    ada.page.reload()
    ada.expect_online()
    expect(ada.page.locator(".stone")).to_have_text("This message was deleted")


def test_leaving_the_page_does_not_undo_a_deletion(pair):
    ada, ben = pair
    say(ada, ben, "gone with the page")
    ada.act("gone with the page", "Delete")
    ada.page.goto("about:blank")
    expect(ben.page.locator(".stone")).to_have_count(1)


def test_reactions_are_added_counted_and_taken_back(pair):
    ada, ben = pair
    say(ada, ben, "lunch?")
    ben.react("lunch?", "👍")
    for chat in pair:
        expect(chat.message("lunch?").get_by_role("button", name="👍 1")).to_be_visible()
    chip = ada.message("lunch?").get_by_role("button", name=re.compile("^👍"))
    expect(chip).to_have_attribute("aria-pressed", "false")
    chip.click()
    expect(chip).to_have_attribute("aria-pressed", "true")
    expect(ben.message("lunch?").get_by_role("button", name="👍 2, You and Ada")).to_be_visible()

    ada.message("lunch?").locator(".body").hover()
    ada.message("lunch?").get_by_role("toolbar").get_by_role("button", name="Add a reaction").click()
    ada.page.keyboard.type("pizza")
    ada.page.keyboard.press("Enter")
    expect(ben.message("lunch?").get_by_role("button", name="🍕 1, Ada")).to_be_visible()

    chip.click()
    expect(ben.message("lunch?").get_by_role("button", name="👍 1, You")).to_be_visible()
    ada.page.reload()
    ada.expect_online()
    expect(ada.message("lunch?").get_by_role("button", name="🍕 1, You")).to_have_attribute("aria-pressed", "true")


def test_changes_made_meanwhile_come_with_the_return(pair):
    ada, ben = pair
    for text in ("to be edited", "to be deleted", "to be liked"):
        say(ada, ben, text)
    ben.page.context.set_offline(True)
    expect(ben.page.locator("#banner")).to_contain_text("You are offline")
    ada.act("to be edited", "Edit")
    ada.page.locator("#text").fill("was edited")
    ada.page.locator("#text").press("Enter")
    ada.act("to be deleted", "Delete")
    ada.react("to be liked", "❤️")
    say_alone = "and one more"
    ada.send(say_alone)
    ada.expect_stored(say_alone)
    expect(ada.page.locator(".stone")).to_have_text("This message was deleted")
    ben.page.context.set_offline(False)
    ben.expect_stored(say_alone)
    expect(ben.message("was edited")).to_have_count(1)
    expect(ben.page.locator(".stone")).to_have_count(1)
    expect(ben.message("to be liked").get_by_role("button", name="❤️ 1, Ada")).to_be_visible()


def test_nothing_of_it_is_done_offline_and_the_page_says_so(pair):
    ada, ben = pair
    say(ada, ben, "steady")
    ada.page.context.set_offline(True)
    expect(ada.page.locator("#banner")).to_contain_text("You are offline")
    ada.message("steady").locator(".body").hover()
    expect(ada.message("steady").get_by_role("button", name="React with 👍")).to_have_count(0)


def test_pinned_messages_are_marked_and_listed(window, server):
    make_room(server, "ada", "board", name="Board", participants=["ada", "ben"])
    ada, ben = window().enter("Ada", "board"), window().enter("Ben", "board")
    say(ben, ada, "the address of the office")
    say(ben, ada, "small talk")
    ada.act("the address of the office", "Pin")
    for chat in (ada, ben):
        expect(chat.message("the address of the office").locator(".pinned-mark")).to_be_visible()
    ben.choose_for_room("Pinned messages")
    expect(ben.page.locator("#pins-list .result")).to_have_count(1)
    ben.page.locator("#pins-list .result").click()
    expect(ben.page.locator(".message.is-found, .message:focus")).to_contain_text("the address of the office")
    ada.act("the address of the office", "Unpin")
    expect(ben.page.locator(".pinned-mark")).to_have_count(0)


def test_it_all_works_by_keyboard(pair):
    ada, ben = pair
    say(ben, ada, "from Ben")
    say(ada, ben, "from Ada")
    # Back from the field to the newest message, and from there up.
    ada.page.locator("#text").focus()
    ada.page.locator("#messages .message").last.focus()
    ada.page.keyboard.press("ArrowUp")
    expect(ada.message("from Ben")).to_be_focused()
    ada.page.keyboard.press("+")
    ada.page.keyboard.type("rocket")
    ada.page.keyboard.press("Enter")
    expect(ben.message("from Ben").get_by_role("button", name="🚀 1, Ada")).to_be_visible()
    expect(ada.message("from Ben")).to_be_focused()
    ada.page.keyboard.press("r")
    expect(ada.page.locator("#composer .composing")).to_contain_text("Reply to Ben")
    ada.page.keyboard.press("Escape")
    ada.message("from Ada").focus()
    ada.page.keyboard.press("Enter")
    expect(ada.page.get_by_role("menuitem", name="Reply")).to_be_focused()
    ada.page.keyboard.press("ArrowUp")
    expect(ada.page.get_by_role("menuitem", name="Delete")).to_be_focused()
    ada.page.keyboard.press("Escape")
    expect(ada.message("from Ada")).to_be_focused()
    ada.page.keyboard.press("e")
    expect(ada.page.locator("#text")).to_have_value("from Ada")


def test_a_mention_is_counted_apart_and_can_be_deleted_away(window, server):
    ada = window().enter("Ada", "lobby")
    ada.page.locator("#new").click()
    ada.page.locator("#new-name").fill("garden")
    ada.page.locator("#new-open").click()
    expect(ada.page.locator("#room-title")).to_have_text("garden")
    post_message(server.url, "ben", "lobby", "for nobody in particular")
    sent = post_message(server.url, "ben", "lobby", "<@ada> look here")
    row = ada.page.locator('[data-room="lobby"]')
    expect(row.locator(".mention-badge")).to_have_count(1)
    expect(row).to_contain_text("Ben: @Ada look here")
    expect(row).to_have_accessible_name(re.compile("2 unread messages, 1 mention of you"))
    path = f"/api/chat/lobby/messages/{sent['messageId']}"
    assert server.request("DELETE", path, headers={"X-User-Id": "ben"}).status_code == 200
    expect(row.locator(".mention-badge")).to_have_count(0)
    expect(row.locator(".badge")).to_have_text("1")
