"""A room of 2,000 messages with reactions: no task of the page keeps its thread busy for more than 100 ms."""

import json

from playwright.sync_api import expect
from chat_page import post_message

COUNT = 2_000
LONGEST_TASK_MS = 100
CATEGORIES = ["disabled-by-default-devtools.timeline", "toplevel"]
EMOJI = "👍🎉🔥"


def fill(server, make_chat, room):
    clerk = make_chat(server, "clerk", "Clerk")
    clerk.join(room)
    ids = []
    for number in range(1, COUNT + 1):
        text = f"**Entry {number}** of the log, see `file-{number}` and https://example.org/{number} for more of it"
        ids.append(clerk.send(room, text if number % 5 == 0 else f"entry {number} of the log")["messageId"])
    for user in ("ben", "cleo"):
        fan = make_chat(server, user, user.title())
        fan.join(room, limit=1)
        for id in ids:
            for emoji in EMOJI:
                fan.emit_with_id("react", {"roomId": room, "messageId": id, "emoji": emoji})
            fan.settle()
    return ids


def longest_task(trace) -> float:
    """Of the page's main thread, in milliseconds of its own processor time: other processes of the machine do not count."""
    events = json.loads(trace)["traceEvents"]
    main = {(e["pid"], e["tid"]) for e in events if e["name"] == "thread_name" and e["args"].get("name") == "CrRendererMain"}
    tasks = [e["tdur"] for e in events if e.get("ph") == "X" and e["name"].endswith("RunTask") and (e["pid"], e["tid"]) in main and "tdur" in e]
    assert len(tasks) > 1000, "the trace holds no tasks"
    return max(tasks) / 1000


def test_two_thousand_messages_with_reactions_stay_smooth(window, server, make_chat, chromium):
    ids = fill(server, make_chat, "log")
    ada = window()
    chromium.start_tracing(page=ada.page, categories=CATEGORIES)
    ada.enter("Ada", "log")
    ada.expect_stored(f"entry {COUNT - 1} of the log")
    expect(ada.page.locator("#messages .reaction").first).to_be_visible()
    scroller = ada.page.locator("#scroller")
    first = ada.page.locator('#messages [data-seq="1"]')
    for _ in range(600):
        if first.count():
            break
        scroller.evaluate("element => { element.scrollTop = 0 }")
        ada.page.wait_for_timeout(30)
    expect(first).to_have_count(1)
    # A new connection: the one that filled the room has not read while the page scrolled, and may have been closed for it.
    clerk = make_chat(server, "clerk", "Clerk")
    clerk.join("log", limit=1)
    for number in range(10):
        clerk.ask("react", {"roomId": "log", "messageId": ids[number], "emoji": "❤️"})
        post_message(server.url, "ben", "log", f"live {number}")
    expect(ada.page.locator("#jump")).to_have_text("10 new")
    expect(first.get_by_role("button", name="❤️ 1, Clerk")).to_have_count(1)
    ada.page.mouse.move(640, 400)
    for _ in range(40):
        ada.page.mouse.wheel(0, 2_000)
        ada.page.wait_for_timeout(20)
    ada.page.locator("#jump").click()
    ada.send("the last word")
    ada.expect_stored("the last word")
    assert ada.page.locator("#messages > li").count() < 300
    longest = longest_task(chromium.stop_tracing())
    print(f"longest task with {COUNT} messages: {longest:.0f} ms")
    assert longest <= LONGEST_TASK_MS
