"""The switch between raw WebSocket and Socket.IO."""

from playwright.sync_api import expect


def choose(chat, transport):
    chat.page.locator("#me").click()
    chat.page.locator(f'input[name=transport][value="{transport}"]').check()
    chat.page.keyboard.press("Escape")


def test_both_transports_meet_in_one_room(window, server):
    ada, ben = window().enter("Ada"), window().enter("Ben")
    choose(ada, "socketio")
    ada.expect_online()
    ada.send("by Socket.IO")
    ben.expect_stored("by Socket.IO")
    ben.send("by WebSocket")
    ada.expect_stored("by WebSocket")
    assert ada.texts() == ben.texts()

    server.kill()
    expect(ada.page.locator("#banner")).to_contain_text("Reconnecting")
    ada.send("written while down")
    server.restart()
    ben.expect_stored("written while down")
    ada.expect_stored("written while down")

    choose(ada, "raw")
    ada.expect_online()
    ada.send("and back")
    ben.expect_stored("and back")
    ada.expect_gapless()
