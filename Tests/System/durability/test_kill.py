"""The process is killed without warning while people talk."""

import asyncio
import random

from support.talkers import Talker, check, talking

ROUNDS = 20
CLIENTS = 20
ROOMS = 4


def test_twenty_clients_through_twenty_kills(make_server):
    """No acknowledged message is lost, none is repeated on resume, and the numbers have no holes."""
    server = make_server({"PRESENCE_GRACE_MS": "0"})
    talkers = [Talker([server.ws_url], f"user-{n}", f"room-{n % ROOMS}") for n in range(CLIENTS)]
    asyncio.run(_through_kills(server, talkers))
    assert check(server, talkers) >= CLIENTS * ROUNDS
    assert all(len(talker.closes) > ROUNDS for talker in talkers), "everybody was cut off every time"


def test_kills_while_messages_of_many_rooms_are_moved(make_server):
    """A kill finds acknowledged messages in the journal, in their table, or in both."""
    server = make_server({"PRESENCE_GRACE_MS": "0"})
    talkers = [Talker([server.ws_url], f"user-{n}", f"room-{n}") for n in range(CLIENTS)]
    # The journal is moved a second after its first message.
    asyncio.run(_through_kills(server, talkers, rounds=6, life=(1.0, 1.2)))
    assert check(server, talkers) >= CLIENTS * 6


async def _through_kills(
    server, talkers: list[Talker], rounds: int = ROUNDS, life: tuple[float, float] = (0.05, 0.3)
) -> None:
    """Kills the server `rounds` times, so many seconds after messages were acknowledged."""
    async with talking(talkers) as talk:
        for _ in range(rounds):
            await talk.progress()
            await asyncio.sleep(random.uniform(*life))
            await asyncio.to_thread(server.kill)
            # Not in the pool: the process is bound to end with the thread that started it.
            server.start(wait=False)
            await asyncio.to_thread(server.wait_until_healthy)


def test_other_acknowledged_changes_survive_too(make_server, make_chat):
    """Rooms, participants, names and read marks, not only messages."""
    server = make_server()
    alice = {"X-User-Id": "alice"}
    server.post("/api/rooms", headers=alice, json={"roomId": "kept", "name": "Kept", "private": True, "participants": ["bob"]})
    server.post("/api/rooms", headers=alice, json={"roomId": "gone"})
    bob = make_chat(server, "bob")
    bob.join("kept")
    for number in range(5):
        server.post("/api/chat/kept/messages", headers=alice, json={"message": f"message {number}"})
    bob.ask("mark_read", {"roomId": "kept", "seq": 3})
    carol = make_chat(server, "carol")
    carol.join("open")
    carol.send("open", "hello")
    server.request("PATCH", "/api/rooms/kept", headers=alice, json={"name": "Renamed"})
    server.request("DELETE", "/api/rooms/gone", headers=alice)
    server.kill()
    server.start()
    rooms = server.get("/api/rooms", headers={"X-User-Id": "bob"}).json()["rooms"]
    assert [(r["roomId"], r["name"], r["private"], r["unread"], r["lastReadSeq"]) for r in rooms] == [
        ("kept", "Renamed", True, 2, 3)
    ]
    assert rooms[0]["lastMessage"]["content"] == "message 4" and rooms[0]["participants"] == ["alice", "bob"]
    assert [r["roomId"] for r in server.get("/api/rooms", headers={"X-User-Id": "carol"}).json()["rooms"]] == ["open"]
    assert server.get("/api/rooms/gone", headers=alice).status_code == 403


def test_a_log_cut_off_in_mid_write_is_no_obstacle(make_server, make_chat):
    """What a power cut leaves at the end of the write-ahead log is ignored; what was acknowledged before it is there."""
    server = make_server()
    alice = make_chat(server, "alice")
    alice.join("r")
    for number in range(20):
        alice.send("r", f"message {number}")
    server.kill()
    logs = list((server.directory / "data").glob("*-wal"))
    assert logs
    for log in logs:
        with log.open("ab") as file:
            file.write(random.randbytes(3000))
    server.start()
    assert server.get("/api/chat/r/history").json()["lastSeq"] == 20
    again = make_chat(server, "alice")
    again.join("r")
    assert again.send("r", "after")["seq"] == 21
