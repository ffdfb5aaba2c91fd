"""Files in GridFS, which every instance of a fleet serves."""

import hashlib

import gridfs

from support.deadline import eventually
from support.files import download, make_room, png, uploaded
from support.wire import Wire

CONTENT = bytes(range(256)) * 2000


def test_every_instance_serves_every_file(fleet, room):
    first, second = fleet.servers[:2]
    make_room(first, room, "ann", "bob")
    file = uploaded(first, room, CONTENT, "a.bin")
    for server in (first, second):
        assert download(server, file, "bob").content == CONTENT
        assert server.get(file["url"]).content == CONTENT, "the signature is good everywhere"
        assert download(server, file, "eve").status_code == 403
        part = download(server, file, Range="bytes=131070-131075")
        assert part.status_code == 206 and part.content == CONTENT[131_070:131_076]
    body = {"message": "look", "metadata": {"file": {"fileId": file["fileId"]}}}
    assert second.post(f"/api/chat/{room}/messages", json=body, headers={"X-User-Id": "ann"}).status_code == 201


def test_other_programs_read_the_files_as_gridfs(fleet, room):
    first = fleet.servers[0]
    make_room(first, room, "ann")
    file = uploaded(first, room, png(30, 20) + CONTENT, "a.png")
    stored = gridfs.GridFS(fleet.database()).get(file["fileId"])
    content = stored.read()
    assert content == png(30, 20) + CONTENT and stored.length == len(content)
    assert stored.filename == "a.png" and hashlib.sha256(content).hexdigest() == stored.metadata["sha256"]
    assert (stored.metadata["roomId"], stored.metadata["userId"], stored.metadata["width"]) == (room, "ann", 30)


def test_an_upload_cut_off_leaves_no_chunks(fleet, room):
    first = fleet.servers[0]
    make_room(first, room, "ann")
    chunks, unfinished = fleet.database()["fs.chunks"], fleet.database()["chatUploads"]
    before = chunks.count_documents({})
    with Wire(first.port) as wire:
        head = f"POST /api/chat/{room}/files HTTP/1.1\r\nHost: localhost\r\nX-User-Id: ann\r\nContent-Length: 900000\r\n\r\n"
        wire.send(head.encode() + b"x" * 400_000)
        eventually(lambda: chunks.count_documents({}) > before, "chunks came")
    eventually(lambda: chunks.count_documents({}) == before, "the chunks are gone")
    eventually(lambda: unfinished.count_documents({}) == 0, "nothing is unfinished")
