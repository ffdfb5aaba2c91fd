"""Getting files: who may, what is sent, and in what parts."""

import re

import pytest

from support.files import download, make_room, png, upload, uploaded

KEY = "a service key of a test"
ENVIRONMENT = {"SERVICE_API_KEY": KEY}
CONTENT = bytes(range(256)) * 2000


@pytest.fixture
def lobby(shared, room):
    make_room(shared, room, "ann", "bob")
    return room


@pytest.fixture
def file(shared, lobby):
    return uploaded(shared, lobby, CONTENT, "a b.bin")


def test_those_who_may_read_the_room_may_read_its_files(shared, file):
    assert download(shared, file).content == CONTENT
    assert download(shared, file, "bob").content == CONTENT
    assert download(shared, file, "eve").status_code == 403
    assert download(shared, file, None).status_code == 403
    assert shared.get(file["url"].split("?")[0], headers={"X-Service-Key": KEY}).content == CONTENT


def test_a_signed_address_needs_no_name(shared, file):
    assert shared.get(file["url"]).content == CONTENT
    for other in [
        re.sub(r"expires=(\d+)", lambda found: f"expires={int(found[1]) + 1}", file["url"]),
        file["url"][:-1] + ("0" if file["url"][-1] != "0" else "1"),
        re.sub(r"expires=\d+", "expires=1", file["url"]),
        file["url"].replace("signature=", "signature=" + "0" * 5000),
    ]:
        assert shared.get(other).status_code == 403, other
    assert shared.get(re.sub(r"expires=\d+", "expires=x", file["url"])).status_code == 400


def test_one_files_signature_opens_no_other(shared, lobby, file):
    other = uploaded(shared, lobby, b"other")
    assert shared.get(file["url"].replace(file["fileId"], other["fileId"])).status_code == 403


def test_the_name_in_the_address_decides_nothing(shared, file):
    path, query = file["url"].split("?")
    assert shared.get(path.rsplit("/", 1)[0] + "/other.html?" + query).headers["Content-Type"] == "application/octet-stream"


@pytest.mark.parametrize("name", ["x", "A" * 32, "..%2f" * 10, "0" * 32, "%00"])
def test_ids_of_no_file_are_not_found(shared, name):
    assert shared.get(f"/api/files/{name}/x", headers={"X-User-Id": "ann"}).status_code in (400, 404)


def test_an_answer_says_what_it_is(shared, file):
    answer = download(shared, file)
    assert answer.headers["ETag"] == f'"{file["sha256"]}"'
    assert answer.headers["Accept-Ranges"] == "bytes" and answer.headers["Content-Length"] == str(len(CONTENT))
    assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''a%20b.bin"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox; frame-ancestors 'none'"
    assert answer.headers["Cache-Control"] == "private, no-cache"
    head = shared.request("HEAD", file["url"])
    assert head.status_code == 200 and head.content == b"" and head.headers["Content-Length"] == str(len(CONTENT))
    known = download(shared, file, If_None_Match=f'"x", "{file["sha256"]}"')
    assert known.status_code == 304 and known.content == b""


def test_images_are_shown_in_place_and_nothing_else_is(shared, lobby):
    image = uploaded(shared, lobby, png(3, 2), "a.png")
    assert download(shared, image).headers["Content-Disposition"].startswith("inline")
    for content, kind in [(b"<svg><script/></svg>", "image/svg+xml"), (b"<html>", "text/html"), (b"%PDF", "application/pdf")]:
        other = uploaded(shared, lobby, content, "a", Content_Type=kind)
        answer = download(shared, other)
        assert answer.headers["Content-Disposition"].startswith("attachment") and "sandbox" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [("bytes=0-0", 0, 1), ("bytes=131071-131073", 131_071, 131_074), ("bytes=511990-", 511_990, 512_000), ("bytes=-10", 511_990, 512_000),
     ("bytes=0-99999999999999999999", 0, 512_000)],
)  # fmt: skip
def test_a_range_is_sent_alone(shared, file, asked, start, end):
    answer = download(shared, file, Range=asked)
    assert answer.status_code == 206 and answer.content == CONTENT[start:end]
    assert answer.headers["Content-Range"] == f"bytes {start}-{end - 1}/{len(CONTENT)}"


@pytest.mark.parametrize("asked", ["bytes=5-2", "bytes=0-1,5-6", "bytes=6-7,0-1", "items=0-1", "bytes=", "bytes=a-b", "bytes=--1"])
def test_what_is_no_single_range_means_the_whole(shared, file, asked):
    answer = download(shared, file, Range=asked)
    assert answer.status_code == 200 and answer.content == CONTENT


@pytest.mark.parametrize("asked", ["bytes=512000-", "bytes=600000-700000", "bytes=-0"])
def test_a_range_outside_is_refused(shared, file, asked):
    answer = download(shared, file, Range=asked)
    assert answer.status_code == 416 and answer.headers["Content-Range"] == f"bytes */{len(CONTENT)}"


def test_a_range_of_an_older_content_means_the_whole(shared, file):
    tag = f'"{file["sha256"]}"'
    assert download(shared, file, Range="bytes=0-1", If_Range=tag).status_code == 206
    assert download(shared, file, Range="bytes=0-1", If_Range='"x"').content == CONTENT


def test_a_participant_that_was_removed_reads_no_more(shared, lobby, file):
    assert download(shared, file, "bob").status_code == 200
    removed = shared.request("DELETE", f"/api/rooms/{lobby}/participants/bob", headers={"X-User-Id": "ann"})
    assert removed.status_code == 200
    assert download(shared, file, "bob").status_code == 403


def test_files_of_a_deleted_room_are_out_of_reach(shared, lobby, file):
    assert shared.request("DELETE", f"/api/rooms/{lobby}", headers={"X-User-Id": "ann"}).status_code == 200
    assert download(shared, file).status_code == 403
    assert shared.get(file["url"]).status_code == 403
    assert upload(shared, lobby).status_code == 403


def test_files_stay_over_a_restart(make_server, room):
    server = make_server()
    make_room(server, room, "ann")
    file = uploaded(server, room, CONTENT)
    server.restart()
    assert download(server, file).content == CONTENT
    assert server.get(file["url"]).content == CONTENT, "the signature is good still"
