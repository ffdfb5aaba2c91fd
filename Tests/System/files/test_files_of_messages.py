"""Messages that refer to files, in every way that messages are sent."""

import os

import pytest

from support.chat import Refused
from support.deadline import eventually

from support.files import download, make_room, uploaded


@pytest.fixture
def lobby(shared, room):
    make_room(shared, room, "ann", "bob", private=False)
    return room


def reference(file) -> dict:
    return {"file": {"fileId": file["fileId"], "name": file["name"]}}


def kept(server, file) -> bool:
    """Whether the store has noted that a message refers to the file."""
    return (server.directory / "data" / "files" / "kept" / file["fileId"][:2] / file["fileId"]).exists()


def test_a_message_refers_to_a_file(shared, lobby, make_chat):
    file = uploaded(shared, lobby)
    bob = make_chat(shared, "bob")
    bob.join(lobby)
    with_file = make_chat(shared, "ann")
    with_file.join(lobby)
    assert not kept(shared, file)
    assert with_file.send(lobby, "look", metadata=reference(file))["success"]
    assert bob.expect("new_message")["metadata"] == reference(file)
    assert kept(shared, file)
    assert download(shared, file, "bob").content == b"some text"


def test_a_message_over_rest_refers_to_a_file(shared, lobby):
    file = uploaded(shared, lobby)
    body = {"message": "look", "metadata": reference(file), "clientMessageId": "one"}
    path = f"/api/chat/{lobby}/messages"
    assert shared.post(path, json=body, headers={"X-User-Id": "ann"}).status_code == 201
    again = shared.post(path, json=body, headers={"X-User-Id": "ann"})
    assert again.status_code == 200 and again.json()["duplicate"] is True


@pytest.mark.parametrize("given", ["", "x", "0" * 32, 7, {}, [], True])
def test_what_names_no_file_is_refused(shared, lobby, make_chat, given):
    chat = make_chat(shared, "ann")
    chat.join(lobby)
    with pytest.raises(Refused) as refused:
        chat.send(lobby, "look", metadata={"file": {"fileId": given}})
    assert refused.value.code == "bad_request"
    assert chat.send(lobby, "look", metadata={"file": {"fileId": None}})["success"]
    assert chat.send(lobby, "look", metadata={"file": "fileId"})["success"]


def test_files_of_others_and_of_other_rooms_are_refused(shared, lobby, make_chat):
    make_room(shared, lobby + "-2", "ann", private=False)
    mine, others, elsewhere = uploaded(shared, lobby), uploaded(shared, lobby, user="bob"), uploaded(shared, lobby + "-2")
    chat = make_chat(shared, "ann")
    chat.join(lobby)
    for file in (others, elsewhere):
        with pytest.raises(Refused) as refused:
            chat.send(lobby, "look", metadata=reference(file))
        assert refused.value.code == "bad_request"
    assert chat.send(lobby, "look", metadata=reference(mine))["success"]


def test_the_order_of_a_sender_is_kept(shared, lobby, make_chat):
    chat = make_chat(shared, "ann")
    chat.join(lobby)
    ids = []
    for number in range(30):
        metadata = {"metadata": reference(uploaded(shared, lobby))} if number % 3 == 0 else {}
        ids.append(chat.emit_with_id("send_message", {"roomId": lobby, "message": str(number), **metadata}))
    numbers = [chat.reply(id)["seq"] for id in ids]
    assert numbers == sorted(numbers)


def test_a_refused_message_keeps_no_file(shared, room, make_chat):
    make_room(shared, room, "ann", "bob")
    file = uploaded(shared, room, user="bob")
    body = {"message": "look", "metadata": reference(file)}
    sent = shared.post(f"/api/chat/{room}/messages", json=body | {"clientMessageId": "one"}, headers={"X-User-Id": "bob"})
    assert sent.status_code == 201 and kept(shared, file)
    second = uploaded(shared, room, user="bob")
    conflict = body | {"clientMessageId": "one", "metadata": reference(second)}
    assert shared.post(f"/api/chat/{room}/messages", json=conflict, headers={"X-User-Id": "bob"}).status_code == 409
    eventually(lambda: not kept(shared, second), "the file is without a message again")
    assert kept(shared, file)


def test_a_file_whose_hour_is_over_takes_no_message(make_server, room):
    """The description in the file says when it was uploaded."""
    server = make_server()
    make_room(server, room, "ann")
    file = uploaded(server, room)
    server.terminate()
    path = server.directory / "data" / "files" / "new" / file["fileId"]
    content = path.read_bytes()
    head, rest = content.split(b'"uploadedAt":', 1)
    stamp = rest[:13]
    path.write_bytes(head + b'"uploadedAt":' + str(int(stamp) - 3_700_000).encode() + rest[13:])
    os.utime(path)
    server.start()
    body = {"message": "look", "metadata": reference(file)}
    assert server.post(f"/api/chat/{room}/messages", json=body, headers={"X-User-Id": "ann"}).status_code == 400
    assert path.exists(), "other instances' clocks may be behind"
    server.terminate()
    path.write_bytes(head + b'"uploadedAt":' + str(int(stamp) - 3_910_000).encode() + rest[13:])
    server.start()
    eventually(lambda: not path.exists(), "the file is gone")
