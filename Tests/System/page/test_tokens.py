"""Signing in where the server wants a token."""

from playwright.sync_api import expect

from chat_page import token_for


def sign_in(chat, token):
    chat.page.goto(f"{chat.url}/?room=lobby")
    chat.page.get_by_text("With a token").click()
    chat.page.locator("#token").fill(token)
    chat.page.locator("#sign-in-button").click()


def test_a_token_signs_in_and_stays_in_its_tab(window, guarded_server):
    ada, ben = window(), window()
    token = token_for("7", "Ada Lovelace")
    sign_in(ada, token)
    ada.expect_online()
    sign_in(ben, token_for("8", "Ben"))
    ben.expect_online()
    ada.send("signed")
    ben.expect_stored("signed")
    expect(ben.message("signed")).to_contain_text("Ada Lovelace")
    assert token not in ada.page.url

    ada.page.reload()
    ada.expect_online()
    ada.page.locator("#me").click()
    ada.page.locator("#sign-out").click()
    expect(ada.page.locator("#sign-in-form")).to_be_visible()
    assert ada.page.evaluate("Object.values(sessionStorage).join() + Object.values(localStorage).join()").find(token) < 0


def test_a_name_is_not_enough_and_the_page_asks_for_a_token(window, guarded_server):
    eve = window()
    eve.page.goto(f"{eve.url}/?user=Eve")
    expect(eve.page.locator("#sign-in-error")).to_contain_text("unauthorized")
    expect(eve.page.locator("#token")).to_be_visible()


def test_a_token_about_to_expire_can_be_renewed(window, guarded_server):
    ada = window()
    sign_in(ada, token_for("7", "Ada", lifetime=20))
    ada.expect_online()
    ada.page.get_by_role("button", name="Renew").click()
    ada.page.locator("#fresh-token").fill(token_for("8", "Somebody else"))
    ada.page.locator("#token-form").get_by_role("button", name="Renew").click()
    expect(ada.page.locator("#token-error")).to_be_visible()
    ada.page.locator("#fresh-token").fill(token_for("7", "Ada"))
    ada.page.locator("#token-form").get_by_role("button", name="Renew").click()
    expect(ada.page.locator("#banner")).to_contain_text("Signed in for longer")
