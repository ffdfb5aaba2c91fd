"""The SDK for Python against real servers."""

import asyncio
import random
import time
from typing import Any, Callable

import jwt
import pytest
from chat_client import ChatClient, RequestError
from room_history import history, plain, texts_of

from support.deadline import TIMEOUT_SECONDS
from support.page import PAGE

ROOM = "lobby"
SECRET = "only-for-the-tests-of-the-sdk-of-this-server"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")


async def until(condition: Callable[[], Any], what: str) -> None:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"not within {TIMEOUT_SECONDS} s: {what}"
        await asyncio.sleep(0.02)


class Watched:
    """A client, and what it reported."""

    def __init__(self, url: str, user: str = "ada", **options: Any):
        identity = {} if options else {"user_id": user, "username": user.capitalize()}
        self.chat = ChatClient(url, **identity, **options)
        self.texts: list[str] = []
        self.seqs: list[int] = []
        self.sent: list[str] = []
        self.refused: list[tuple[str, str]] = []
        self.states: list[str] = []
        self.resyncs = 0
        self.direct: list[str] = []
        self.chat.on("message", lambda room, message: (self.texts.append(message["message"]), self.seqs.append(message["seq"])))
        self.chat.on("sent", lambda entry: self.sent.append(entry.content["message"]))
        self.chat.on("refused", lambda entry: self.refused.append((entry.content["message"], entry.error.code)))
        self.chat.on("state", lambda name, error: self.states.append(name))
        self.chat.on("resync", lambda room: setattr(self, "resyncs", self.resyncs + 1))
        self.chat.on("direct", lambda data: self.direct.append(data["message"]))


def test_a_server_that_is_killed_twice_in_the_middle_of_a_queue(make_server):
    # The rate makes the queue last, so that the second kill is certain to fall into it.
    server = make_server(PAGE | {"RATE_LIMIT_MESSAGES": "20"})
    texts = [f"text {number}" for number in range(120)]

    async def scenario() -> Watched:
        ada = Watched(server.url)
        async with ada.chat as chat:
            await chat.join(ROOM)
            for text in texts[:5]:
                chat.send(ROOM, text)
            # In this thread: the server ends with the thread that started it.
            server.kill()
            for text in texts[5:100]:
                chat.send(ROOM, text)
            server.restart()
            await until(lambda: len(ada.sent) >= 20, "a part of the queue is sent")
            server.kill()
            assert chat.pending(ROOM)
            for text in texts[100:]:
                chat.send(ROOM, text)
            server.restart()
            await until(lambda: len(ada.sent) == len(ada.texts) == 120, "all of it is sent")
        return ada

    ada = asyncio.run(scenario())
    assert ada.refused == []
    assert texts_of(server) == ada.sent == ada.texts == texts


def test_refusals_for_now_wait_and_those_for_good_are_reported(make_server):
    server = make_server(PAGE | {"RATE_LIMIT_MESSAGES": "2"})
    texts = [f"text {number}" for number in range(12)]

    async def scenario() -> Watched:
        ada = Watched(server.url)
        async with ada.chat as chat:
            await chat.join(ROOM)
            entries = [chat.send(ROOM, text) for text in [*texts[:3], "x" * 20_000, *texts[3:]]]
            await until(lambda: len(ada.texts) == 12, "all but one are stored")
            assert [entry.state for entry in entries].count("failed") == 1 and not chat.pending(ROOM)
        return ada

    ada = asyncio.run(scenario())
    assert texts_of(server) == ada.texts == texts
    assert ada.refused == [("x" * 20_000, "bad_request")]
    assert "rate_limited" in server.log_text()


def test_resume_over_breaks_gives_what_history_shows(server, make_chat):
    assert server.post("/api/rooms", json={"roomId": ROOM}, headers={"X-User-Id": "owner"}).status_code == 201
    chance = random.Random(7)
    owner = make_chat(server, "owner", "Owner")
    owner.join(ROOM)

    def talk(ids: list[str]) -> None:
        kind = chance.choice(["message", "message", "reply", "edit", "delete", "react", "pin"])
        if kind == "message" or not ids:
            ids.append(owner.send(ROOM, f"text {len(ids)}", clientMessageId=f"c{chance.random()}")["messageId"])
            return
        id = chance.choice(ids)
        target = {"roomId": ROOM, "messageId": id}
        if kind == "reply":
            ids.append(owner.send(ROOM, "reply", replyTo=id)["messageId"])
        elif kind == "edit":
            owner.ask("edit_message", target | {"message": f"edited {chance.random()} <@ada>"})
        elif kind == "delete":
            ids.remove(id)
            owner.ask("delete_message", target)
        elif kind == "react":
            owner.ask("react", target | {"emoji": chance.choice("👍🎉"), "remove": chance.random() < 0.4})
        else:
            owner.ask("pin_message", target | {"remove": chance.random() < 0.4})

    async def scenario() -> tuple[Watched, list[dict]]:
        ada = Watched(server.url)
        async with ada.chat as chat:
            await chat.join(ROOM)
            ids: list[str] = []
            for step in range(90):
                await asyncio.to_thread(talk, ids)
                if step % 15 == 7:
                    online = ada.states.count("online")
                    chat.connection._socket.transport.abort()
                    for _ in range(3):
                        await asyncio.to_thread(talk, ids)
                    await until(lambda: ada.states.count("online") > online, "it came back")
            last = await asyncio.to_thread(owner.send, ROOM, "the end")
            await until(lambda: chat.room(ROOM).timeline.last_seq >= last["seq"], "all has come")
            return ada, chat.room(ROOM).messages

    ada, shown = asyncio.run(scenario())
    assert plain(shown) == plain(history(server))
    assert ada.seqs == sorted(set(ada.seqs)) and ada.resyncs == 0


def test_a_hole_and_too_much_to_miss(server, make_chat):
    ben = make_chat(server, "ben", "Ben")
    ben.join(ROOM)

    async def scenario() -> Watched:
        ada = Watched(server.url)
        async with ada.chat as chat:
            await chat.join(ROOM)
            receive, chat.connection._on_event = chat.connection._on_event, lambda event, data: None
            await asyncio.to_thread(ben.send, ROOM, "lost on the way")
            await chat.connection.emit("ping")
            chat.connection._on_event = receive
            await asyncio.to_thread(ben.send, ROOM, "after")
            await until(lambda: len(ada.texts) == 2, "the hole is repaired")
            assert ada.texts == ["lost on the way", "after"]

            connect, chat.connection._url = chat.connection._url, "ws://127.0.0.1:1/"
            chat.connection._socket.transport.abort()
            await until(lambda: ada.states[-1] == "waiting", "it is away")

            def write() -> None:
                ids = [ben.emit_with_id("send_message", {"roomId": ROOM, "message": f"text {number}"}) for number in range(1100)]
                ben.reply(ids[-1])

            await asyncio.to_thread(write)
            chat.connection._url = connect
            await until(lambda: ada.texts[-1] == "text 1099", "the newest came")
        return ada

    ada = asyncio.run(scenario())
    assert ada.resyncs == 1 and ada.texts[2:] == texts_of(server)[-len(ada.texts[2:]) :]


def test_signals_files_and_search(server, make_chat):
    ben = make_chat(server, "ben", "Ben")
    ben.join(ROOM)

    async def scenario() -> None:
        ada = Watched(server.url)
        async with ada.chat as chat:
            room = await chat.join(ROOM)
            assert set(room.people) == {"ada", "ben"}
            await chat.set_typing(ROOM)
            assert (await asyncio.to_thread(ben.expect, "user_typing"))["userId"] == "ada"
            ben.emit("typing", {"roomId": ROOM, "isTyping": True})
            await until(lambda: "ben" in room.typing, "Ben types")
            seq = (await asyncio.to_thread(ben.send, ROOM, "the red dog"))["seq"]
            await until(lambda: ada.texts == ["the red dog"] and not room.typing, "Ben has sent it")
            await chat.mark_read(ROOM)
            assert (await asyncio.to_thread(ben.expect, "message_read"))["seq"] == seq
            await chat.watch(["ben"])
            await until(lambda: chat.presence["ben"].get("status") == "online", "Ben is online")
            await chat.set_status("busy")
            assert (await asyncio.to_thread(ben.ask, "check_user_status", {"targetUserId": "ada"}))["status"] == "busy"
            file = await chat.rest.upload(ROOM, "notes.txt", b"hello file", "text/plain")
            chat.send(ROOM, "see this", metadata={"file": {"fileId": file["fileId"]}})
            await until(lambda: len(ada.texts) == 2, "the message with the file")
            assert await chat.rest.download(file["fileId"], file["name"]) == b"hello file"
            (found,) = (await chat.rest.search("red dog", roomId=ROOM))["results"]
            assert found["highlights"] == [[4, 7], [8, 11]]
            message_id = room.messages[1]["messageId"]
            await chat.edit(ROOM, message_id, "see that", metadata={"file": {"fileId": file["fileId"]}})
            await chat.react(ROOM, message_id, "👍")
            await until(lambda: room.messages[1].get("reactions"), "the changes took effect")
            assert room.messages[1]["message"] == "see that"
            await chat.delete(ROOM, message_id)
            await until(lambda: room.messages[1].get("deleted"), "it is deleted")
            assert (await chat.send_directly(["ben"], "psst"))["recipients"]["sent"] == ["ben"]
            await asyncio.to_thread(ben.ask, "send_message", {"recipientIds": ["ada"], "message": "yes?"})
            await until(lambda: ada.direct == ["yes?"], "Ben's answer")
            with pytest.raises(RequestError) as refusal:
                await chat.rest.call("GET", "/api/rooms/direct:x:y")
            assert refusal.value.code == "forbidden"

    asyncio.run(scenario())


def test_tokens_are_fetched_renewed_and_given_up(make_server):
    server = make_server(PAGE | {"JWT_SECRET": SECRET})

    def token(lifetime: int = 600) -> str:
        return jwt.encode({"sub": "ada", "name": "Ada", "exp": int(time.time()) + lifetime}, SECRET, "HS256")

    async def renewed() -> None:
        # The first is refused; thirty seconds before its end the server asks for another one than the second.
        tokens = [token(-100), token(31), token()]
        ada = Watched(server.url, get_token=lambda: tokens.pop(0))
        async with ada.chat as chat:
            assert chat.me == "ada"
            await until(lambda: not tokens, "the token was renewed")
            await chat.join(ROOM)
            assert ada.states.count("online") == 1

    async def refused() -> None:
        tokens = [token(-100), token(-100), token()]
        with pytest.raises(RequestError) as refusal:
            async with Watched(server.url, get_token=lambda: tokens.pop(0)).chat:
                pass
        assert refusal.value.code == "unauthorized" and len(tokens) == 1

    asyncio.run(renewed())
    asyncio.run(refused())


def test_a_room_that_is_left_during_its_join_is_left_on_the_server(server, make_chat):
    ben = make_chat(server, "ben", "Ben")
    ben.join(ROOM)

    async def scenario() -> None:
        async with Watched(server.url).chat as chat:
            joining = asyncio.create_task(chat.join(ROOM))
            while ROOM not in chat.rooms:
                await asyncio.sleep(0)
            await chat.leave(ROOM)
            with pytest.raises(RequestError) as refusal:
                await joining
            assert refusal.value.code == "left" and ROOM not in chat.rooms
            assert (await asyncio.to_thread(ben.expect, "user_joined"))["userId"] == "ada"
            assert (await asyncio.to_thread(ben.expect, "user_left"))["userId"] == "ada"
            again = await chat.join(ROOM)
            assert again.is_joined and set(again.people) == {"ada", "ben"}

    asyncio.run(scenario())


def test_a_failing_handler_does_not_end_the_connection(server, make_chat, caplog):
    async def scenario() -> None:
        ada = Watched(server.url)
        ada.chat.on("message", lambda room, message: 1 / 0)
        async with ada.chat as chat:
            await chat.join(ROOM)
            chat.send(ROOM, "one")
            chat.send(ROOM, "two")
            await until(lambda: ada.texts == ["one", "two"], "both came")
            assert ada.states == ["connecting", "online"]

    asyncio.run(scenario())
    assert caplog.text.count("ZeroDivisionError") == 2
