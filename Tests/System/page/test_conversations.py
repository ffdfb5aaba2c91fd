"""How the page finds people and rooms: by name, by id, and all of them."""

from chat_page import make_room, post_message
from playwright.sync_api import expect

from support.deadline import eventually


def open_direct(chat, name):
    chat.page.locator("#new").click()
    chat.page.get_by_text("Direct chat", exact=True).click()
    chat.page.locator("#new-name").fill(name)
    chat.page.locator("#new-open").click()


def test_a_direct_chat_is_opened_by_display_name(window, server, make_chat):
    make_chat(server, "u-17", "Zoë Müller").join("lobby")
    ada = window().enter("Ada")
    open_direct(ada, "zoë müller")
    expect(ada.page.locator("#room-title")).to_have_text("Zoë Müller")
    ada.send("found you")
    ada.expect_stored("found you")
    expect(ada.page.locator('[data-room="direct:ada:u-17"]')).to_be_visible()


def test_a_direct_chat_with_an_unknown_person_says_so(window, server, make_chat):
    for number in (1, 2):
        make_chat(server, f"u-{number}", "Sam")
    ada = window().enter("Ada")
    open_direct(ada, "Nemo")
    expect(ada.page.locator("#new-error")).to_have_text("Nobody here is called “Nemo”.")
    ada.page.locator("#new-name").fill("sam")
    ada.page.locator("#new-open").click()
    expect(ada.page.locator("#new-error")).to_contain_text("Enter one of their ids: u-1, u-2.")
    ada.page.locator("#new-name").fill("u-2")
    ada.page.locator("#new-open").click()
    expect(ada.page.locator("#room-title")).to_have_text("Sam")
    expect(ada.page.locator('[data-room="direct:ada:u-2"]')).to_be_visible()


def test_every_room_is_listed_and_opens(window, server):
    count = 230
    for number in range(count):
        body = {"roomId": f"r{number:03}", "name": f"Room {number:03}"}
        assert server.post("/api/rooms", json=body, headers={"X-User-Id": "ada"}).status_code == 201
    ada = window().enter("Ada")
    expect(ada.page.locator('#room-list [data-room^="r"]')).to_have_count(count)
    ada.page.locator('[data-room="r000"]').click()
    expect(ada.page.locator("#room-title")).to_have_text("Room 000")
    ada.send("the oldest")
    ada.expect_stored("the oldest")


def test_ones_own_messages_by_rest_are_not_unread(window, server, make_chat):
    make_chat(server, "ada").join("garden")
    post_message(server.url, "ada", "garden", "by myself")
    ada = window().enter("Ada")
    row = ada.page.locator('[data-room="garden"]')
    expect(row).to_contain_text("by myself")
    post_message(server.url, "ada", "garden", "by myself again")
    expect(row).to_contain_text("by myself again")
    expect(row.locator(".badge")).to_have_count(0)


def test_a_list_from_before_a_chat_was_read_does_not_bring_it_back(window, server):
    ada, ben = window().enter("Ada"), window().enter("Ben")
    ada.open_direct("Ben")
    row = ben.page.locator('[data-room="direct:ada:ben"]')
    expect(row).to_have_count(1)
    ada.send("unread so far")
    expect(row.locator(".badge")).to_have_text("1")

    held = []
    ben.page.route("**/api/rooms?**", lambda route: held.append((route, route.fetch())), times=1)
    ask_for_rooms = "window.dispatchEvent(new Event('focus'))"
    ben.page.evaluate(ask_for_rooms)
    eventually(lambda: held or ben.page.wait_for_timeout(20), "the list is made")
    ((route, stale),) = held
    assert [room["unread"] for room in stale.json()["rooms"] if room["roomId"] == "direct:ada:ben"] == [1]

    row.click()
    ben.expect_stored("unread so far")
    expect(ada.message("unread so far").locator(".readers")).to_have_attribute("aria-label", "Read by Ben")
    ben.choose_for_room("Close this chat")
    expect(row).to_have_count(0)
    make_room(server, "ben", "newer")
    # During a refresh: another one follows it.
    ben.page.evaluate(ask_for_rooms)
    route.fulfill(response=stale)
    expect(ben.page.locator('[data-room="newer"]')).to_have_count(1)
    expect(row).to_have_count(0)
