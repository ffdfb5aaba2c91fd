"""What people expect of any chat page: drafts, the back button, finding things, notifications, installing it."""

import json
import re
import urllib.request

import pytest
from chat_page import PHONE, post_message
from playwright.sync_api import expect

# Keeps what the page would show or play, for a test to look at.
WITNESS = """
window.shown = [];
window.played = 0;
window.Notification = class {
  static permission = 'default';
  static requestPermission = async () => (Notification.permission = window.answer ?? 'granted');
  constructor(title, options) { window.shown.push({ title, ...options }); window.latest = this; }
  close() {}
};
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...at) { window.played += 1; return start.apply(this, at); };
"""


def open_room(chat, name):
    chat.page.locator("#new").click()
    chat.page.locator("#new-name").fill(name)
    chat.page.locator("#new-open").click()
    expect(chat.page.locator("#room-title")).to_have_text(name)


def test_drafts_are_kept_by_room_and_over_a_reload(window):
    ada = window().enter("Ada", "lobby")
    ada.write("half a **sentence**")
    open_room(ada, "garden")
    expect(ada.page.locator("#text")).to_have_value("")
    expect(ada.page.locator('[data-room="lobby"]')).to_contain_text("Draft: half a sentence")
    ada.write("another")
    ada.page.reload()
    ada.expect_online()
    expect(ada.page.locator("#text")).to_have_value("another")
    ada.page.locator('[data-room="lobby"]').click()
    expect(ada.page.locator("#text")).to_have_value("half a **sentence**")
    ada.page.locator("#text").press("Enter")
    ada.expect_stored("half a sentence")
    ada.page.reload()
    ada.expect_online()
    expect(ada.page.locator("#text")).to_have_value("")


def test_the_back_button_goes_through_the_rooms(window):
    ada = window().enter("Ada", "lobby")
    open_room(ada, "garden")
    open_room(ada, "reading")
    ada.page.go_back()
    expect(ada.page.locator("#room-title")).to_have_text("garden")
    ada.page.go_back()
    expect(ada.page.locator("#room-title")).to_have_text("lobby")
    ada.page.go_forward()
    expect(ada.page.locator("#room-title")).to_have_text("garden")
    assert "room=garden" in ada.page.url
    ada.page.reload()
    ada.expect_online()
    expect(ada.page.locator("#room-title")).to_have_text("garden")


def test_rooms_and_people_are_found_by_a_few_letters(window, server, make_chat):
    make_chat(server, "u-17", "Zoë Müller").join("lobby")
    ada = window().enter("Ada", "lobby")
    open_room(ada, "garden")
    ada.page.keyboard.press("Control+k")
    options = ada.page.locator("#finder-list [role=option]")
    expect(options).to_have_count(2)
    ada.page.keyboard.type("lob")
    expect(options.first).to_contain_text("lobby")
    ada.page.keyboard.press("Enter")
    expect(ada.page.locator("#room-title")).to_have_text("lobby")

    ada.page.locator("#find").click()
    ada.page.keyboard.type("zoe")
    expect(options.filter(has_text="Write to them")).to_contain_text("Zoë Müller")
    expect(ada.page.locator("#finder-list [aria-selected=true]")).to_contain_text("Zoë Müller")
    ada.page.keyboard.press("ArrowDown")
    expect(ada.page.locator("#finder-list [aria-selected=true]")).to_contain_text("Open or make this room")
    ada.page.keyboard.press("ArrowUp")
    ada.page.keyboard.press("Enter")
    expect(ada.page.locator("#room-title")).to_have_text("Zoë Müller")

    ada.page.locator("#find").click()
    ada.page.keyboard.type("Brand new")
    ada.page.keyboard.press("Enter")
    expect(ada.page.locator("#room-title")).to_have_text("brand-new")


def test_the_list_of_people_is_filtered(window, server, make_chat):
    for number in range(12):
        make_chat(server, f"guest-{number}", f"Guest {number}").join("lobby")
    make_chat(server, "zoe", "Zoë").join("lobby")
    ada = window().enter("Ada", "lobby")
    people = ada.page.locator("#people-list .person")
    expect(people).to_have_count(14)
    ada.page.locator("#people-filter").fill("zoe")
    expect(people).to_have_count(1)
    ada.page.locator("#people-filter").fill("guest 1")
    expect(people).to_have_count(3)
    ada.page.locator("#people-filter").fill("nobody of that name")
    expect(ada.page.locator("#people-more")).to_have_text("Nobody of that name.")


def test_people_who_are_away_are_listed_below(window, server, make_chat):
    make_chat(server, "ben", "Ben").join("lobby")
    gone = make_chat(server, "cleo", "Cleo")
    gone.join("lobby")
    gone.ask("leave_room", {"roomId": "lobby"})
    ada = window().enter("Ada", "lobby")
    expect(ada.page.locator("#people-list .people-section")).to_have_text("Others · 1")
    expect(ada.page.locator("#people-list .is-away")).to_contain_text("leo")
    expect(ada.page.locator("#people-list .person:not(.is-away)")).to_have_count(2)


@pytest.fixture
def watched(window):
    ada = window()
    ada.page.add_init_script(WITNESS)
    return ada.enter("Ada", "lobby")


def want(chat, choice, sound=False):
    chat.page.locator("#me").click()
    chat.page.locator("#notifications").select_option(choice)
    chat.page.locator("#sound").set_checked(sound)
    chat.page.locator("#settings-dialog").get_by_role("button", name="Done").click()


def test_messages_in_other_rooms_notify_and_sound_when_wanted(watched, server):
    open_room(watched, "garden")
    post_message(server.url, "ben", "lobby", "nobody asked to hear of this")
    expect(watched.page.locator('[data-room="lobby"] .badge')).to_have_text("1")
    assert watched.page.evaluate("[shown.length, played]") == [0, 0]

    want(watched, "all", sound=True)
    post_message(server.url, "ben", "lobby", "hello **there**")
    expect(watched.page.locator('[data-room="lobby"] .badge')).to_have_text("2")
    assert watched.page.evaluate("[shown[0].title, shown[0].tag, played]") == ["Ben in lobby", "lobby", 2]
    post_message(server.url, "ben", "garden", "in the room that is being looked at")
    watched.expect_stored("in the room that is being looked at")
    assert watched.page.evaluate("shown.length") == 1

    watched.page.evaluate("latest.onclick()")
    expect(watched.page.locator("#room-title")).to_have_text("lobby")


def test_only_direct_messages_notify_when_only_those_are_wanted(watched, server):
    want(watched, "mentions")
    open_room(watched, "garden")
    post_message(server.url, "ben", "lobby", "for everybody")
    expect(watched.page.locator('[data-room="lobby"] .badge')).to_have_text("1")
    direct = {"type": "direct", "participants": ["ada", "ben"]}
    assert server.post("/api/rooms", json=direct, headers={"X-User-Id": "ben"}).status_code == 201
    watched.page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(watched.page.locator('[data-room="direct:ada:ben"]')).to_be_visible()
    post_message(server.url, "ben", "direct:ada:ben", "for you")
    expect(watched.page.locator('[data-room="direct:ada:ben"] .badge')).to_have_text("1")
    assert watched.page.evaluate("shown.map((each) => each.title)") == ["Ben"]


def test_a_browser_that_allows_no_notifications_is_explained(watched):
    watched.page.evaluate("window.answer = 'denied'")
    watched.page.locator("#me").click()
    watched.page.locator("#notifications").select_option("all")
    expect(watched.page.locator("#notifications-note")).to_be_visible()
    expect(watched.page.locator("#notifications")).to_have_value("off")


def test_the_page_can_be_installed(window, server):
    ada = window().enter("Ada")
    address = ada.page.locator("link[rel=manifest]").get_attribute("href")
    with urllib.request.urlopen(server.url + address) as response:
        manifest = json.load(response)
    assert manifest["display"] == "standalone" and manifest["start_url"] == "/"
    for icon in manifest["icons"]:
        with urllib.request.urlopen(server.url + icon["src"]) as response:
            assert response.headers["Content-Type"] == icon["type"]
            data = response.read()
        if icon["type"] == "image/png":
            assert data[:8] == b"\x89PNG\r\n\x1a\n"
            size = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
            assert icon["sizes"] == f"{size[0]}x{size[1]}"
    session = ada.page.context.new_cdp_session(ada.page)
    assert session.send("Page.getAppManifest")["errors"] == []


def test_marks_of_formatting_are_elements_in_the_conversation(window):
    ada, ben = window().enter("Ada"), window().enter("Ben")
    ada.send("**Done:**\n- the `parser`\n- <img src=x onerror=alert(1)>")
    ben.expect_stored("Done:")
    bubble = ben.message("Done:").locator(".bubble")
    expect(bubble.locator("strong")).to_have_text("Done:")
    expect(bubble.locator("li")).to_have_count(2)
    expect(bubble.locator("img")).to_have_count(0)
    expect(ben.page.locator('[data-room="lobby"] small')).to_have_text(re.compile("Ada: Done: the parser"))


def test_what_the_server_does_not_know_goes_out_of_sight(window):
    ada = window()
    missing = json.dumps({"status": 404, "detail": "there is nothing at this path", "code": "not_found", "success": False})
    ada.page.route(re.compile("/api/search"), lambda route: route.fulfill(status=404, body=missing))
    ada.enter("Ada")
    ada.page.locator("#show-search").click()
    ada.page.locator("#search-text").fill("anything")
    expect(ada.page.locator("#show-search")).to_be_hidden()


def test_panels_are_drawers_on_a_phone(window, artifacts):
    ada = window(viewport=PHONE, has_touch=True, is_mobile=True).enter("Ada")
    ada.page.locator("#show-search").tap()
    expect(ada.page.locator("#search-text")).to_be_in_viewport()
    expect(ada.page.locator("#search-text")).to_be_focused()
    ada.page.locator("#search .hide-side").tap()
    expect(ada.page.locator("#search-text")).not_to_be_in_viewport()
    assert ada.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
