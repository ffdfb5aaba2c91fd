"""Retakes the README's picture from a running server in trusted mode: python picture.py http://127.0.0.1:5004 OUT.png

The page's first font and coloured emoji are in the packages fonts-inter and fonts-noto-color-emoji.
"""

import base64
import sys

from playwright.sync_api import expect, sync_playwright

from chat_page import ChatPage, post_message, say

WINDOW = {"width": 880, "height": 800}
FRAME = """<!doctype html><style>
  body { margin: 0; width: 1400px; display: grid; grid-template-columns: 1fr 1fr; gap: 24px; padding: 32px; box-sizing: border-box;
         background: linear-gradient(135deg, #dfe7df, #e9e2d3) }
  figure { margin: 0; border-radius: 12px; overflow: hidden; box-shadow: 0 1px 3px #0003, 0 18px 50px #1c2b2433 }
  img { display: block; width: 100%% }
</style><body><figure><img src="data:image/png;base64,%s"></figure><figure><img src="data:image/png;base64,%s"></figure>"""

EARLIER = {
    "garden": [("cleo", "The tomatoes are up 🌱"), ("dan", "Mine too, since Sunday")],
    "reading": [("cleo", "Chapter four by Thursday?"), ("dan", "Make it Friday and I am in.")],
}


def open_window(browser, url, user, scheme):
    context = browser.new_context(viewport=WINDOW, locale="en-GB", color_scheme=scheme, device_scale_factor=1.5)
    return ChatPage(context.new_page(), url).enter(user, "release")


def converse(ada, ben):
    say(ada, ben, "Morning! Did the load test finish overnight?")
    ben.send("It did. A **thousand people** in one room, and I pulled the plug on one instance halfway through:")
    ada.expect_stored("It did. A thousand people")
    ben.send("- all back in two seconds\n- nothing lost, nothing twice")
    ada.expect_stored("nothing lost")
    ada.react("nothing lost", "👍")
    post_message(ada.url, "cleo", "release", "Then I will write the notes: https://example.org/notes/release")
    ada.expect_stored("Then I will write the notes")
    ben.react("Then I will write the notes", "❤️")
    ada.react("Then I will write the notes", "❤️")
    ada.message("nothing lost").locator(".body").hover()
    ada.message("nothing lost").get_by_role("toolbar").get_by_role("button", name="Reply", exact=True).click()
    ada.page.keyboard.type("🎉 `v1.1` it is, @Be")
    ada.page.keyboard.press("Enter")
    ada.page.keyboard.press("Enter")
    ben.expect_stored("it is, @Ben")
    say(ada, ben, "Thank you, Cleo. I will raed them over lunch.")
    ada.page.locator("#text").press("ArrowUp")
    ada.page.locator("#text").fill("Thank you, Cleo. I will read them over lunch.")
    ada.page.locator("#text").press("Enter")
    expect(ben.message("I will read them")).to_be_visible()
    expect(ada.message("I will read them").locator(".readers")).to_be_visible()
    ben.page.locator("#text").press_sequentially("Same here, pl")
    expect(ada.page.locator("#typing")).to_have_text("Ben is typing…")


def main(url, out):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        ada = open_window(browser, url, "Ada", "light")
        ben = open_window(browser, url, "Ben", "dark")
        for room, lines in EARLIER.items():
            for chat in (ada, ben):
                chat.page.locator("#new").click()
                chat.page.locator("#new-name").fill(room)
                chat.page.locator("#new-open").click()
                expect(chat.page.locator("#room-title")).to_have_text(room)
                chat.page.locator('[data-room="release"]').click()
            for user, text in lines:
                post_message(url, user, room, text)
        converse(ada, ben)
        for chat in (ada, ben):
            chat.page.mouse.move(600, 20)
            chat.page.wait_for_timeout(300)
        shots = [base64.b64encode(chat.page.screenshot()).decode() for chat in (ada, ben)]
        frame = browser.new_page(viewport={"width": 1400, "height": 200})
        frame.set_content(FRAME % tuple(shots))
        frame.screenshot(path=out, full_page=True)
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
