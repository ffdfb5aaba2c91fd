"""Files by button, paste and drop; images with their place kept."""

import base64
import re
import struct
import zlib

import pytest
from support.page import PAGE
from playwright.sync_api import expect


def png(width: int, height: int) -> bytes:
    """A picture of two colours flowing into one another."""
    rows = b"".join(
        b"\0" + bytes(v for x in range(width) for v in (40 + 180 * x // width, 70 + 150 * y // height, 140)) for y in range(height)
    )

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


IMAGE = {"name": "roof.png", "mimeType": "image/png", "buffer": png(640, 360)}
TEXT = {"name": "Notes on the release.txt", "mimeType": "text/plain", "buffer": b"line\n" * 20_000}


def choose(chat, *files):
    with chat.page.expect_file_chooser() as chooser:
        chat.page.get_by_role("button", name="Add files").click()
    chooser.value.set_files(list(files))
    expect(chat.page.locator(".attachment.is-ready")).to_have_count(len(files))


def transfer(chat, event, target):
    """Drops or pastes a picture, as the browser would."""
    script = """([event, target, data]) => {
      const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
      const transfer = new DataTransfer();
      transfer.items.add(new File([bytes], 'shot.png', { type: 'image/png' }));
      const options = { bubbles: true, cancelable: true };
      const kind = event === 'paste' ? new ClipboardEvent(event, { ...options, clipboardData: transfer })
                                     : new DragEvent(event, { ...options, dataTransfer: transfer });
      document.querySelector(target).dispatchEvent(kind);
    }"""
    chat.page.evaluate(script, [event, target, base64.b64encode(IMAGE["buffer"]).decode()])


def test_files_go_with_the_message_and_come_back_whole(window, artifacts):
    ada, ben = window().enter("Ada"), window().enter("Ben")
    choose(ada, IMAGE, TEXT)
    ada.write("From the roof")
    ada.page.screenshot(path=artifacts / "files-tray.png")
    ada.page.locator("#text").press("Enter")
    picture = ben.page.locator(".picture")
    expect(picture.locator("img")).to_have_js_property("naturalWidth", 640)
    expect(ben.message("From the roof").locator(".picture")).to_have_count(1)
    card = ben.page.get_by_role("button", name=re.compile("^Download Notes on the release.txt, 98 KB"))
    with ben.page.expect_download() as download:
        card.click()
    assert download.value.suggested_filename == TEXT["name"]
    with open(download.value.path(), "rb") as file:
        assert file.read() == TEXT["buffer"]
    ben.page.screenshot(path=artifacts / "files-shown.png")
    picture.click()
    expect(ben.page.locator("#picture-frame img")).to_have_js_property("naturalWidth", 640)
    ben.page.keyboard.press("Escape")
    expect(picture).to_be_focused()


def test_a_picture_has_its_place_before_it_comes(window):
    ada, ben = window().enter("Ada"), window()
    held = []
    ben.page.route(re.compile("/api/files/"), lambda route: held.append(route))
    ben.enter("Ben")
    choose(ada, IMAGE)
    ada.page.locator("#text").press("Enter")
    frame = ben.page.locator(".picture")
    expect(frame).to_be_visible()
    before = frame.bounding_box()
    assert before["width"] == pytest.approx(360, abs=1) and before["height"] == pytest.approx(202.5, abs=2)
    while not held:
        ben.page.wait_for_timeout(20)
    held[0].continue_()
    expect(frame.locator("img")).to_have_js_property("naturalWidth", 640)
    assert frame.bounding_box() == before


def test_files_are_dropped_and_pasted(window):
    ada, ben = window().enter("Ada"), window().enter("Ben")
    transfer(ada, "dragenter", "#messages")
    expect(ada.page.locator(".drop-hint")).to_be_visible()
    transfer(ada, "drop", "#messages")
    expect(ada.page.locator(".drop-hint")).to_be_hidden()
    expect(ada.page.locator(".attachment.is-ready")).to_have_count(1)
    transfer(ada, "paste", "#text")
    expect(ada.page.locator(".attachment.is-ready")).to_have_count(2)
    ada.page.get_by_role("button", name="Remove shot.png").first.click()
    expect(ada.page.locator(".attachment")).to_have_count(1)
    ada.page.locator("#composer .send").click()
    expect(ben.page.locator(".picture img")).to_have_count(1)


def test_a_file_that_is_too_large_says_so_and_can_be_taken_out(window, make_server):
    server = make_server(PAGE | {"MAX_FILE_BYTES": "1000"})
    ada = window(server=server).enter("Ada")
    with ada.page.expect_file_chooser() as chooser:
        ada.page.get_by_role("button", name="Add files").click()
    chooser.value.set_files([TEXT])
    expect(ada.page.locator(".attachment.is-failed")).to_contain_text("too large")
    ada.page.get_by_role("button", name="Remove Notes").click()
    expect(ada.page.locator(".attachment")).to_have_count(0)
