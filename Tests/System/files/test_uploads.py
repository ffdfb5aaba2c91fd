"""Putting files into rooms: what is taken, what is said of it, and what is refused."""

import hashlib
import os

import pytest

from support.deadline import eventually
from support.metrics import metric
from support.process import resident_bytes
from support.wire import Wire

from support.files import download, make_room, png, upload, uploaded

LIMIT = 1_000_000
ENVIRONMENT = {"MAX_FILE_BYTES": str(LIMIT)}


@pytest.fixture
def lobby(shared, room):
    make_room(shared, room, "ann", "bob", private=False)
    return room


def incoming(server) -> list:
    return list((server.directory / "data" / "files" / "incoming").iterdir())


def begin(wire, room: str, *fields: str, user: str = "ann") -> None:
    head = [f"POST /api/chat/{room}/files?name=a HTTP/1.1", "Host: localhost", f"X-User-Id: {user}", *fields]
    wire.send("\r\n".join([*head, "", ""]).encode())


def test_a_raw_body_is_a_file(shared, lobby):
    content = bytes(range(256)) * 1000
    file = uploaded(shared, lobby, content, "naïve plan.pdf", Content_Type="application/pdf; x=y")
    assert file["success"] is True and len(file["fileId"]) == 32
    assert file["name"] == "naïve plan.pdf" and file["contentType"] == "application/pdf" and file["size"] == len(content)
    assert file["sha256"] == hashlib.sha256(content).hexdigest()
    assert "width" not in file and "height" not in file
    assert download(shared, file).content == content


def test_a_form_brings_a_file(shared, lobby):
    parts = {"note": (None, "not a file"), "file": ("a b.txt", b"\r\n--x\r\n" * 10_000, "text/plain"), "other": ("c.txt", b"c")}
    answer = shared.post(f"/api/chat/{lobby}/files", files=parts, headers={"X-User-Id": "ann"})
    assert answer.status_code == 201, answer.text
    file = answer.json()
    assert (file["name"], file["contentType"], file["size"]) == ("a b.txt", "text/plain", 70_000)
    assert download(shared, file).content == b"\r\n--x\r\n" * 10_000


@pytest.mark.parametrize(
    "body",
    [b"", b"--X--", b"--X\r\n\r\n\r\n--X--", b'--X\r\nContent-Disposition: form-data; name="file"\r\n\r\nabc',
     b'--X\r\nContent-Disposition: form-data; name="note"\r\n\r\nabc\r\n--X--', b"no form"],
)  # fmt: skip
def test_a_form_that_is_none_leaves_nothing(shared, lobby, body):
    answer = upload(shared, lobby, body, None, Content_Type="multipart/form-data; boundary=X")
    assert answer.status_code == 400 and answer.json()["code"] == "bad_request"
    eventually(lambda: incoming(shared) == [], "what was taken is removed")


def test_a_chunked_body_is_a_file(shared, lobby):
    def pieces():
        for number in range(100):
            yield bytes([number]) * 1000

    answer = shared.post(f"/api/chat/{lobby}/files", data=pieces(), headers={"X-User-Id": "ann"})
    assert answer.status_code == 201 and answer.json()["size"] == 100_000


def test_an_image_is_known_by_its_bytes(shared, lobby):
    file = uploaded(shared, lobby, png(640, 480), "a.png", Content_Type="text/html")
    assert (file["contentType"], file["width"], file["height"]) == ("image/png", 640, 480)


@pytest.mark.parametrize(
    ("content", "claimed", "kept"),
    [
        (b"<html><script>alert(1)</script>", "image/png", "application/octet-stream"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "image/svg+xml", "image/svg+xml"),
        (png(100_000, 100_000), "image/png", "application/octet-stream"),
        (b"GIF89a", "image/gif", "application/octet-stream"),
        (b"x", "a" * 300 + "/b", "application/octet-stream"),
    ],
)
def test_lying_types_are_not_shown(shared, lobby, content, claimed, kept):
    file = uploaded(shared, lobby, content, "a", Content_Type=claimed)
    assert "width" not in file
    assert file["contentType"] == kept
    assert download(shared, file).headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize(
    ("given", "kept"),
    [("../../../etc/passwd", "passwd"), ("a\r\nX-Evil: 1", "aX-Evil: 1"), ("x\u202egnp.exe", "xgnp.exe"), ("a\0b", "ab"),
     ("..", "file"), ("", "file"), ("C:\\dir\\b.txt", "b.txt"), ("🙂" * 300, "🙂" * 63)],
)  # fmt: skip
def test_names_are_made_harmless(shared, lobby, given, kept):
    file = uploaded(shared, lobby, name=given)
    assert file["name"] == kept
    answer = download(shared, file)
    assert answer.status_code == 200 and "X-Evil" not in answer.headers


def test_too_large_a_file_is_refused_before_it_comes(shared, lobby, wire):
    connection = wire()
    begin(connection, lobby, "Content-Length: 2147483648")
    answer = connection.response()
    assert answer.status == 413 and answer.json()["code"] == "payload_too_large"
    assert uploaded(shared, lobby, b"x" * LIMIT)["size"] == LIMIT
    assert upload(shared, lobby, b"x" * (LIMIT + 1)).status_code == 413


def test_a_body_without_a_length_is_cut_at_the_limit(shared, lobby, wire):
    connection = wire()
    begin(connection, lobby, "Transfer-Encoding: chunked")
    chunk = b"ffff\r\n" + b"x" * 0xFFFF + b"\r\n"
    connection.send(chunk * (LIMIT // 0xFFFF + 1))
    assert connection.response().status == 413
    eventually(lambda: incoming(shared) == [], "what was taken is removed")


def test_two_gigabytes_cost_no_memory(shared, lobby, wire):
    before = resident_bytes(shared.pid)
    for fields in (["Content-Length: 2147483648"], ["Content-Length: 2147483648", "Content-Type: multipart/form-data; boundary=x"]):
        connection = wire()
        begin(connection, lobby, *fields, "Expect: 100-continue")
        assert connection.response().status == 413
    assert resident_bytes(shared.pid) - before < 32 << 20


def test_a_client_waits_until_its_body_is_wanted(shared, lobby, wire):
    connection = wire()
    begin(connection, lobby, "Content-Length: 3", "Expect: 100-continue")
    assert connection.response().status == 100
    connection.send(b"abc")
    assert connection.response().status == 201
    refused = wire()
    begin(refused, "room-that-is-not", "Content-Length: 3", "Expect: 100-continue")
    assert refused.response().status == 403


def test_an_upload_cut_off_leaves_nothing(shared, lobby, wire):
    connection = wire()
    begin(connection, lobby, "Content-Length: 500000")
    connection.send(b"x" * 100_000)
    eventually(lambda: incoming(shared) != [], "the upload began")
    connection.socket.close()
    eventually(lambda: incoming(shared) == [], "the upload is gone")
    eventually(lambda: metric(shared, "chat_file_uploads_active") == 0, "it is not counted any more")


def test_leftovers_of_a_killed_process_go(make_server, room):
    server = make_server()
    make_room(server, room, "ann", private=False)
    connection = Wire(server.port)
    begin(connection, room, "Content-Length: 500000")
    connection.send(b"x" * 100_000)
    eventually(lambda: incoming(server) != [], "the upload began")
    server.kill()
    connection.socket.close()
    for path in incoming(server):
        os.utime(path, (1, 1))
    server.start()
    eventually(lambda: incoming(server) == [], "the leftover is gone")


def test_an_empty_file_is_refused(shared, lobby):
    assert upload(shared, lobby, b"").status_code == 400


def test_who_may_not_read_a_room_puts_nothing_there(shared, room):
    make_room(shared, room, "ann", "bob")
    assert upload(shared, room, user="eve").json()["code"] == "forbidden"
    assert upload(shared, room + "-unknown").json()["code"] == "forbidden"
    nameless = shared.post(f"/api/chat/{room}/files", data=b"x")
    assert nameless.status_code == 401
    assert uploaded(shared, room, user="bob")["size"] == 9


def test_a_user_has_so_many_uploads_at_a_time(shared, lobby, wire):
    open_wires = [wire() for _ in range(8)]
    for connection in open_wires:
        begin(connection, lobby, "Content-Length: 900000", user="greedy")
        connection.send(b"x" * 20_000)
    eventually(lambda: metric(shared, "chat_file_uploads_active") == 8, "eight uploads are under way")
    refused = upload(shared, lobby, user="greedy")
    assert refused.status_code == 429 and refused.json()["code"] == "rate_limited" and "Retry-After" in refused.headers
    assert upload(shared, lobby, user="another").status_code == 201
    open_wires[0].socket.close()
    eventually(lambda: upload(shared, lobby, user="greedy").status_code == 201, "one upload less is under way")


def test_files_can_be_switched_off(make_server, room):
    server = make_server({"MAX_FILE_BYTES": "0"})
    make_room(server, room, "ann", private=False)
    assert upload(server, room).status_code == 404
    assert server.get("/api/files/" + "a" * 32 + "/x", headers={"X-User-Id": "ann"}).status_code == 404
    sent = server.post(
        f"/api/chat/{room}/messages", json={"message": "a", "metadata": {"file": {"fileId": "mine"}}}, headers={"X-User-Id": "ann"}
    )
    assert sent.status_code == 201, "where there are no files, the member means nothing"
    assert not (server.directory / "data" / "files").exists()
