"""What was missed comes once and in order, and changes make of messages what history shows."""

import random

import pytest
from room_history import history, plain, texts_of

ROOM = "lobby"


def test_what_was_missed_comes_once_and_in_order(ada, ben, server):
    ben.send(ROOM, "first")
    ada.wait("() => report.messages.length === 1")
    ada.break_connection()
    for number in range(5):
        ben.send(ROOM, f"missed {number}")
    ada.wait_online(2)
    ben.send(ROOM, "live")
    ada.wait("() => report.messages.length >= 7")
    assert ada.texts(ROOM) == ["first", *(f"missed {number}" for number in range(5)), "live"]
    assert ada.report("resyncs") == []


def test_a_hole_in_what_comes_live_is_repaired(ada, ben, server):
    ben.send(ROOM, "one")
    ada.wait("() => report.messages.length === 1")
    ada.run("() => { losing = ['lost on the way']; }")
    ben.send(ROOM, "lost on the way")
    ada.wait("() => frames.some((text) => text.includes('lost on the way'))")
    ada.run("() => { losing = []; }")
    ben.send(ROOM, "after")
    ada.wait("() => report.messages.length >= 3")
    assert ada.texts(ROOM) == ["one", "lost on the way", "after"]


def test_a_room_that_is_joined_while_offline_is_joined_later(ada, server, make_chat):
    server.kill()
    ada.wait_offline()
    assert ada.run("() => chat.join('other').catch(({ code }) => code)") == "connection_lost"
    server.restart()
    ben = make_chat(server, "ben")
    ben.join("other")
    ben.send("other", "welcome")
    ada.wait("() => report.messages.length === 1")
    assert ada.texts("other") == ["welcome"]


def test_more_than_one_answer_holds_is_a_resync(ada, ben, server):
    ben.send(ROOM, "first")
    ada.wait("() => report.messages.length === 1")
    ada.run("() => chat.connection.stop()")
    ids = [ben.emit_with_id("send_message", {"roomId": ROOM, "message": f"text {number}"}) for number in range(1100)]
    ben.reply(ids[-1])
    ada.run("() => chat.connection.start()")
    ada.wait("() => chat.room('lobby').timeline.newestSeq === 1101")
    assert ada.report("resyncs") == [ROOM]
    shown = ada.texts(ROOM)
    assert shown[0] == "first" and shown[-1] == "text 1099"
    assert shown[1:] == texts_of(server)[-len(shown[1:]) :]


class Talk:
    """Random messages and changes of two users, over sockets."""

    def __init__(self, chance: random.Random, room: str, owner, guest):
        self.chance, self.room = chance, room
        self.owner, self.guest = owner, guest
        self.authors: dict[str, object] = {}

    def say(self):
        author = self.chance.choice([self.owner, self.guest])
        kind = self.chance.choice(["message", "message", "reply", "edit", "delete", "react", "react", "pin"])
        if kind == "message" or not self.authors:
            self.authors[author.send(self.room, f"text {len(self.authors)}", clientMessageId=f"c{self.chance.random()}")["messageId"]] = author
            return
        messageId = self.chance.choice(list(self.authors))
        target = {"roomId": self.room, "messageId": messageId}
        if kind == "reply":
            answer = author.send(self.room, "reply", replyTo=messageId)
            self.authors[answer["messageId"]] = author
        elif kind == "edit":
            text = f"edited {self.chance.random()} <@ada>"
            self.authors[messageId].ask("edit_message", target | {"message": text})
        elif kind == "delete":
            self.authors.pop(messageId).ask("delete_message", target)
        elif kind == "react":
            reaction = {"emoji": self.chance.choice("👍🎉"), "remove": self.chance.random() < 0.4}
            author.ask("react", target | reaction)
        else:
            self.owner.ask("pin_message", target | {"remove": self.chance.random() < 0.4})


@pytest.mark.parametrize("seed", range(3))
def test_a_client_that_applied_all_changes_has_what_history_shows(new_client, make_chat, server, seed):
    chance = random.Random(seed)
    assert server.post("/api/rooms", json={"roomId": ROOM}, headers={"X-User-Id": "owner"}).status_code == 201
    owner, guest = make_chat(server, "owner", "Owner"), make_chat(server, "guest", "Guest")
    for chat in (owner, guest):
        chat.join(ROOM)
    talk = Talk(chance, ROOM, owner, guest)
    ada = new_client(server, "ada").connect()
    ada.join(ROOM)
    sessions = 1
    for _ in range(90):
        talk.say()
        if chance.random() < 0.15:
            ada.break_connection()
            for _ in range(chance.randrange(8)):
                talk.say()
            sessions += 1
            ada.wait_online(sessions)
    last = owner.send(ROOM, "the end")["seq"]
    ada.wait("(seq) => chat.room('lobby').timeline.lastSeq >= seq", last)
    assert plain(ada.shown(ROOM)) == plain(history(server))
    seqs = [seq for _, seq, _ in ada.report("messages")]
    assert seqs == sorted(set(seqs))


@pytest.mark.parametrize("setting", ["node-socketio", "chromium-socketio"], indirect=True)
class TestRecovery:
    """Connection state recovery: the session goes on, and no room is joined again."""

    def test_a_break_is_recovered_with_messages_and_changes(self, ada, ben, server):
        first = ben.send(ROOM, "first")
        ada.wait("() => report.messages.length === 1")
        ada.break_connection()
        ada.run("() => { frames.length = 0; }")
        ben.ask("edit_message", {"roomId": ROOM, "messageId": first["messageId"], "message": "first, edited"})
        second = ben.send(ROOM, "second")
        ben.ask("react", {"roomId": ROOM, "messageId": second["messageId"], "emoji": "👍"})
        ben.send(ROOM, "third")
        ada.wait_online(2)
        live = ben.send(ROOM, "live")
        ada.wait("(seq) => chat.room('lobby').timeline.lastSeq >= seq", live["seq"])
        assert ada.report("sessions") == [False, True]
        assert ada.texts(ROOM) == ["first", "second", "third", "live"]
        assert plain(ada.shown(ROOM)) == plain(history(server))
        assert not ada.run("() => frames.some((text) => text.includes('message_history'))")
        assert ada.run("() => [...chat.room('lobby').people.keys()].sort()") == ["ada", "ben"]

    def test_a_session_of_a_killed_server_is_resumed_by_number(self, ada, ben, server, make_chat):
        ben.send(ROOM, "first")
        ada.wait("() => report.messages.length === 1")
        server.kill()
        ada.wait_offline()
        server.restart()
        cleo = make_chat(server, "cleo")
        cleo.join(ROOM)
        cleo.send(ROOM, "second")
        ada.wait("() => report.messages.length === 2")
        assert ada.report("sessions") == [False, False]
        assert ada.texts(ROOM) == ["first", "second"]

    def test_a_session_that_the_client_ended_is_not_recovered(self, ada, server):
        ada.run("() => { chat.connection.stop(); chat.connection.start(); }")
        ada.wait_online(2)
        assert ada.report("sessions") == [False, False]
