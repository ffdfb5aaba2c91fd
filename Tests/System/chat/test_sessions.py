"""One user with several sessions, and the announcements of arrivals and departures."""

import asyncio
import json
import time

from support.chat import Chat
from support.deadline import TIMEOUT_SECONDS, eventually
from support.server import Server

# Shorter than the default of five seconds, which one test waits for.
GRACE = 2.0
ENVIRONMENT = {"PRESENCE_GRACE_MS": "2000"}


def watcher(make_chat, shared: Server, room: str) -> Chat:
    chat = make_chat(shared, "watcher")
    chat.join(room)
    return chat


def test_only_the_first_and_the_last_session_are_announced(shared, make_chat, room):
    watching = watcher(make_chat, shared, room)
    first = make_chat(shared, "alice", "Alice")
    first.join(room)
    assert watching.expect("user_joined")["userId"] == "alice"
    second = make_chat(shared, "alice", "Alice")
    assert second.join(room)["state"]["online"] == 2
    first.ask("leave_room", {"roomId": room})
    watching.settle()
    assert watching.events("user_joined") == [] and watching.events("user_left") == []
    second.ask("leave_room", {"roomId": room})
    watching.settle()
    assert [left["userId"] for left in watching.events("user_left")] == ["alice"]


def test_every_session_of_a_user_gets_every_message(shared, make_chat, room):
    sessions = [make_chat(shared, "alice") for _ in range(3)]
    for session in sessions:
        session.join(room)
    sessions[0].send(room, "to all of me")
    for session in sessions:
        assert session.expect("new_message")["message"] == "to all of me"
        assert session.events("user_joined") == []


def test_a_session_that_joins_twice_gets_each_message_once(shared, make_chat, room):
    alice = make_chat(shared, "alice")
    alice.join(room)
    alice.join(room)
    alice.send(room, "once")
    alice.settle()
    assert [m["message"] for m in alice.events("new_message")] == ["once"]
    alice.ask("leave_room", {"roomId": room})
    alice.settle()
    assert make_chat(shared, "bob").join(room)["state"]["online"] == 1


def test_a_broken_connection_is_announced_after_the_grace_period(server, make_chat, room):
    watching = watcher(make_chat, server, room)
    start = time.monotonic()
    for closing in ("abort", "close"):
        alice = make_chat(server, f"alice-{closing}")
        alice.join(room)
        watching.expect("user_joined")
        getattr(alice, closing)()
    gone = {watching.expect("user_left")["userId"] for _ in range(2)}
    assert gone == {"alice-abort", "alice-close"}
    assert time.monotonic() - start >= 5


def test_a_return_within_the_grace_period_is_not_announced(shared, make_chat, room):
    watching = watcher(make_chat, shared, room)
    alice = make_chat(shared, "alice")
    alice.join(room)
    watching.expect("user_joined")
    alice.abort()
    back = make_chat(shared, "alice")
    back.join(room)
    watching.read_for(GRACE + 1)
    assert watching.events("user_left") == [] and watching.events("user_joined") == []


def test_leaving_by_command_with_another_session_in_its_grace_period_is_not_announced_twice(shared, make_chat, room):
    watching = watcher(make_chat, shared, room)
    broken, leaving = make_chat(shared, "alice"), make_chat(shared, "alice")
    broken.join(room)
    leaving.join(room)
    watching.expect("user_joined")
    broken.abort()
    leaving.ask("leave_room", {"roomId": room})
    watching.read_for(GRACE + 1)
    assert [left["userId"] for left in watching.events("user_left")] == ["alice"]


def test_the_oldest_session_gives_way_past_the_cap(make_server, make_chat):
    server = make_server({"MAX_CONNECTIONS_PER_USER": "2"})
    first, second = make_chat(server, "alice"), make_chat(server, "alice")
    other = make_chat(server, "bob")
    third = make_chat(server, "alice")
    first.expect_close(4409)
    assert first.events("error")[0]["code"] == "replaced"
    for survivor in (second, third, other):
        survivor.settle()


def test_crowds_are_shown_as_counts_once_a_second(shared, make_chat):
    """250 people come and go within two seconds; a watcher receives numbers, not names."""
    room = "crowd"
    watching = watcher(make_chat, shared, room)
    asyncio.run(_crowd(shared, room, watching))


async def _crowd(shared: Server, room: str, watching: Chat) -> None:
    from websockets.asyncio.client import connect

    async def join(number: int):
        socket = await connect(shared.ws_url, proxy=None, compression=None)
        await socket.send(json.dumps({"event": "authenticate", "data": {"userId": f"u{number}"}}))
        await socket.send(json.dumps({"event": "join_room", "data": {"roomId": room}}))
        users = None
        while True:
            frame = json.loads(await asyncio.wait_for(socket.recv(), TIMEOUT_SECONDS))
            if frame["event"] == "room_users":
                users = frame["data"]
            if frame["event"] == "room_state":
                return socket, users, frame["data"]

    early = [await join(number) for number in range(199)]
    _read_states(watching)
    named = watching.events("user_joined")
    assert len(named) == 199 and watching.events("room_state") == []
    watching.inbox.clear()

    start = time.monotonic()
    late = [await join(number) for number in range(199, 250)]
    socket, users, state = late[-1]
    assert len(users) == 200 and state["online"] == 251 and state["members"] == 251
    last = watching.expect("room_state", lambda state: state["online"] == 251)
    assert last["members"] == 251
    states = 1 + len(watching.events("room_state"))
    assert states <= 2 + (time.monotonic() - start), "at most one room_state a second"
    assert len(watching.events("user_joined")) <= 1, "names end where counts begin"

    # Everybody still gets every message.
    await socket.send(json.dumps({"event": "send_message", "data": {"roomId": room, "message": "all"}}))
    for socket, _, _ in early + late:
        while json.loads(await asyncio.wait_for(socket.recv(), TIMEOUT_SECONDS))["event"] != "new_message":
            pass
    for socket, _, _ in late:
        await socket.send(json.dumps({"event": "leave_room", "data": {"roomId": room}}))
    watching.expect("room_state", lambda state: state["online"] == 201)
    await asyncio.gather(*(socket.close() for socket, _, _ in early + late))


def _read_states(watching: Chat) -> None:
    eventually(lambda: watching.settle() or len(watching.events("user_joined")) >= 199, "199 joins were announced")
