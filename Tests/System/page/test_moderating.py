"""What owners and moderators of a room do with it and the people in it."""

import pytest
from chat_page import make_room
from playwright.sync_api import expect


@pytest.fixture
def club(server):
    return make_room(server, "ada", "club", name="The club", participants=["ada", "ben", "cleo"])


@pytest.fixture
def trio(window, club):
    people = [window().enter(name, club) for name in ("Ada", "Ben", "Cleo")]
    for chat in people:
        expect(chat.page.locator("#people-list .person:not(.is-away)")).to_have_count(3)
    return people


def look_again(chat):
    chat.page.evaluate("window.dispatchEvent(new Event('focus'))")


def moderate(chat, name, kind, span=None):
    chat.choose_person(name, kind)
    if span:
        chat.page.locator("#moderate-span").select_option(span)
    chat.page.locator("#moderate-confirm").click()
    expect(chat.page.locator("#moderate-dialog")).to_be_hidden()


def test_a_room_is_renamed_and_made_read_only(trio):
    ada, ben, _ = trio
    ada.choose_for_room("Room settings")
    ada.page.locator("#room-name").fill("The garden club")
    ada.page.locator("#room-read-only").check()
    ada.page.locator("#room-save").click()
    expect(ada.page.locator("#room-title")).to_have_text("The garden club")
    look_again(ben)
    expect(ben.page.locator("#room-title")).to_have_text("The garden club")
    expect(ben.page.locator("#composer")).to_contain_text("Only moderators write in this room.")
    ada.send("hear ye")
    ben.expect_stored("hear ye")
    ben.choose_for_room("Room settings")
    expect(ben.page.locator("#room-owner-note")).to_contain_text("Only its owner, Ada")
    expect(ben.page.locator("#room-save")).to_be_hidden()


def test_a_banned_person_is_out_at_once_and_can_be_let_in_again(trio):
    ada, ben, _ = trio
    moderate(ada, "Ben", "Ban…", "24")
    expect(ben.page.locator("#room-subtitle")).to_contain_text("banned")
    expect(ben.page.locator("#text")).to_be_disabled()
    expect(ada.page.locator("#people-list .person:not(.is-away)")).to_have_count(2)
    ada.choose_for_room("Room settings")
    expect(ada.page.locator("#room-bans")).to_contain_text("Ben")
    ada.page.locator("#room-bans").get_by_role("button", name="Lift").click()
    expect(ada.page.locator("#room-bans-field")).to_be_hidden()
    ada.page.locator("#room-cancel").click()
    ben.page.reload()
    ben.expect_online()
    ben.send("back again")
    ada.expect_stored("back again")


def test_a_muted_person_reads_and_does_not_write(trio):
    ada, ben, _ = trio
    moderate(ada, "Ben", "Mute…")
    expect(ada.page.locator("#people-list")).to_contain_text("muted")
    ben.send("may I?")
    expect(ben.message("may I?")).to_have_attribute("data-state", "failed")
    ada.choose_person("Ben", "Unmute")
    expect(ada.page.locator("#people-list")).not_to_contain_text("muted")
    ben.message("may I?").get_by_role("button", name="Retry").click()
    ada.expect_stored("may I?")


def test_a_moderator_may_delete_what_others_wrote(trio):
    ada, ben, cleo = trio
    ada.choose_person("Ben", "Make moderator")
    expect(ada.page.locator("#people-list")).to_contain_text("moderator")
    look_again(ben)
    cleo.send("buy my watches")
    ben.expect_stored("buy my watches")
    expect(ben.page.locator('#people-list [data-user="ben"]')).to_contain_text("moderator")
    ben.act("buy my watches", "Delete")
    expect(cleo.page.locator(".stone")).to_have_text("This message was deleted")
    ada.choose_person("Ben", "No longer moderator")
    expect(ada.page.locator("#people-list")).not_to_contain_text("moderator")


def test_members_have_no_power_over_others(trio):
    ada, ben, cleo = trio
    ben.page.locator('#people-list [data-user="cleo"]').click()
    expect(ben.page.get_by_role("menuitem", name="Message")).to_be_visible()
    expect(ben.page.get_by_role("menuitem", name="Ban…")).to_have_count(0)
    expect(ben.page.get_by_role("menuitem", name="Make moderator")).to_have_count(0)


def test_a_blocked_person_can_be_unblocked(trio):
    ada, _, cleo = trio
    ada.choose_person("Cleo", "Block")
    expect(ada.page.locator("#banner")).to_contain_text("Cleo is blocked")
    ada.choose_person("Cleo", "Unblock")
    expect(ada.page.locator("#banner")).to_contain_text("Cleo is no longer blocked")
