"""What else a client does: signals, changes, files, search, messages straight to users."""

import pytest

ROOM = "lobby"


@pytest.fixture(params=["node-raw", "chromium-socketio"])
def setting(request: pytest.FixtureRequest) -> str:
    return request.param


def test_typing_goes_both_ways_and_ends_with_a_message(ada, ben):
    ada.run("() => chat.typing('lobby')")
    assert ben.expect("user_typing", lambda data: data["userId"] == "ada")["isTyping"] is True
    ben.emit("typing", {"roomId": ROOM, "isTyping": True})
    ada.wait("() => chat.room('lobby').typing.userIds.includes('ben')")
    ben.send(ROOM, "done")
    ada.wait("() => chat.room('lobby').typing.userIds.length === 0")


def test_read_marks_go_both_ways(ada, ben):
    seq = ben.send(ROOM, "read me")["seq"]
    ada.wait("() => report.messages.length === 1")
    ada.run("() => chat.markRead('lobby')")
    assert ben.expect("message_read") == {"roomId": ROOM, "userId": "ada", "seq": seq}
    ada.send(ROOM, "and me")
    seq = ben.expect("new_message", lambda message: message["message"] == "and me")["seq"]
    ben.emit("mark_read", {"roomId": ROOM, "seq": seq})
    ada.wait("(seq) => chat.room('lobby').readMarks.some(([user, mark]) => user === 'ben' && mark === seq)", seq)


def test_presence_of_watched_users_follows_them(ada, ben, make_chat, server):
    ada.run("() => chat.presence.watch(['ben', 'cleo'])")
    ada.wait("() => chat.presence.of('ben')?.status === 'online'")
    ben.ask("set_status", {"status": "busy"})
    ada.wait("() => chat.presence.of('ben').status === 'busy'")
    ada.run("() => chat.presence.setStatus('away')")
    assert ben.ask("check_user_status", {"targetUserId": "ada"})["status"] == "away"
    ada.break_connection()
    ada.wait_online(2)
    make_chat(server, "cleo")
    ada.wait("() => chat.presence.of('cleo')?.status === 'online'")
    ada.wait("() => chat.presence.own === 'away'")


def test_changes_of_this_user_are_answered_and_take_effect(new_client, server):
    assert server.post("/api/rooms", json={"roomId": ROOM}, headers={"X-User-Id": "ada"}).status_code == 201
    ada = new_client(server, "ada").connect()
    ada.join(ROOM)
    ada.send(ROOM, "first")
    ada.wait("() => chat.room('lobby').messages.length === 1")
    ada.run("""async () => {
      const { messageId } = chat.room('lobby').messages[0];
      await chat.edit('lobby', messageId, { message: 'edited' });
      await chat.react('lobby', messageId, '👍');
      await chat.react('lobby', messageId, '🎉');
      await chat.react('lobby', messageId, '🎉', { remove: true });
      await chat.pin('lobby', messageId);
    }""")
    ada.wait("() => report.changes.length === 5")
    (message,) = ada.shown(ROOM)
    assert message["message"] == "edited" and message["pinned"] is True
    assert message["reactions"] == [{"emoji": "👍", "count": 1, "userIds": ["ada"]}]
    ada.run("async () => { await chat.delete('lobby', chat.room('lobby').messages[0].messageId); }")
    ada.wait("() => chat.room('lobby').messages[0].deleted")
    refusal = "() => chat.edit('lobby', chat.room('lobby').messages[0].messageId, { message: 'x' }).catch(({ code }) => code)"
    assert ada.run(refusal) == "conflict"


def test_files_go_up_and_down(ada, ben):
    ada.run("""async () => {
      const file = new Blob(['hello file'], { type: 'text/plain' });
      const { fileId, name } = await chat.api.upload('lobby', file, (part) => (report.progress = part), 'notes.txt').done;
      chat.send('lobby', { message: 'see this', metadata: { file: { fileId, name } } });
    }""")
    file = ben.expect("new_message")["metadata"]["file"]
    assert file["name"] == "notes.txt" and ada.run("() => report.progress") == 1
    assert ada.run("async ({ fileId, name }) => (await chat.api.file(fileId, name)).text()", file) == "hello file"
    missing = "async ({ name }) => chat.api.file('0'.repeat(24), name).catch(({ code }) => code)"
    assert ada.run(missing, file) == "not_found"


def test_search_finds_with_places(ada, ben):
    ben.send(ROOM, "the red dog")
    ben.send(ROOM, "the blue dog")
    results = ada.run("async () => (await chat.api.search({ q: 'red dog', roomId: 'lobby' })).results")
    assert [(found["message"], found["highlights"]) for found in results] == [("the red dog", [[4, 7], [8, 11]])]


def test_a_message_straight_to_a_user_arrives(ada, ben):
    answer = ada.run("() => chat.sendDirectly(['ben', 'nemo'], 'psst')")
    assert answer["recipients"]["sent"] == ["ben"] and ben.expect("message")["message"] == "psst"
    ben.ask("send_message", {"recipientIds": ["ada"], "message": "yes?"})
    ada.wait("() => report.direct.includes('yes?')")


def test_a_room_that_was_left_is_not_resumed(ada, ben):
    ada.run("() => chat.leave('lobby')")
    ben.expect("user_left", lambda data: data["userId"] == "ada")
    ada.break_connection()
    ada.wait_online(2)
    ben.send(ROOM, "not for Ada")
    ada.join("other")
    assert ada.texts(ROOM) == []


def test_a_ban_closes_the_room(new_client, make_chat, server):
    assert server.post("/api/rooms", json={"roomId": ROOM}, headers={"X-User-Id": "owner"}).status_code == 201
    ada = new_client(server, "ada").connect()
    ada.join(ROOM)
    answer = server.put(f"/api/rooms/{ROOM}/bans/ada", json={}, headers={"X-User-Id": "owner"})
    assert answer.status_code == 200
    ada.wait("() => chat.room('lobby').error?.code === 'banned' && !chat.room('lobby').isJoined")
    assert ada.run("() => chat.join('lobby').catch(({ code }) => code)") == "banned"
