"""MongoDB goes away under load: sends are refused, retryable, and what was acknowledged is there afterwards, once."""

import asyncio

from crowds import check_everywhere, crowd
from support.deadline import eventually
from support.talkers import talking


def test_killed_and_restarted(make_fleet):
    fleet = make_fleet()
    talkers = crowd(fleet, pause=0.02)

    async def through() -> None:
        async with talking(talkers) as talk:
            await talk.progress(3)
            fleet.mongo.kill()
            before = sum(len(talker.refused) for talker in talkers)
            for server in fleet.servers:
                await asyncio.to_thread(eventually, lambda s=server: _is_unready(s), "not ready without its store")
            await talk.until(lambda: sum(len(t.refused) for t in talkers) > before, "senders are refused")
            fleet.mongo.start(wait=False)
            await talk.progress(2, seconds=30)
            for server in fleet.servers:
                await asyncio.to_thread(eventually, lambda s=server: not _is_unready(s), "ready again")

    asyncio.run(through())
    assert {code for talker in talkers for code in talker.refused} == {"storage_unavailable"}
    assert all(len(talker.closes) == 1 for talker in talkers), "no client was cut off"
    check_everywhere(fleet, talkers)
    _stored_once(fleet)


def _is_unready(server) -> bool:
    ready = server.get("/ready")
    down = ready.json()["dependencies"]["store"]["state"] == "down"
    assert down == (ready.status_code == 503)
    assert server.get("/health").status_code == 200
    return down


def _stored_once(fleet) -> None:
    """As another program counts."""
    documents = list(fleet.database()["messages"].find({}, {"roomId": 1, "seq": 1, "userId": 1, "clientMessageId": 1}))
    assert len({(each["roomId"], each["seq"]) for each in documents}) == len(documents)
    assert len({(each["roomId"], each["userId"], each["clientMessageId"]) for each in documents}) == len(documents)


def test_the_functions_that_need_no_store(make_fleet, make_chat):
    """Typing, presence in the room and the newest history need no store."""
    fleet = make_fleet()
    alice, bob = (make_chat(server, user) for server, user in zip(fleet.servers, ["alice", "bob"]))
    for chat in (alice, bob):
        chat.join("r")
    for number in range(3):
        alice.send("r", f"message {number}")
    bob.expect("new_message", lambda message: message["seq"] == 3)
    eventually(lambda: fleet.keys().llen("chat:history:r") == 3, "the list is there")
    fleet.mongo.kill()
    bob.ask("typing", {"roomId": "r", "isTyping": True})
    alice.expect("user_typing")
    for server in fleet.servers:
        page = server.get("/api/chat/r/history?limit=3").json()
        assert [message["seq"] for message in page["messages"]] == [1, 2, 3], "from Redis"
    beyond = fleet.servers[0].get("/api/rooms", headers={"X-User-Id": "alice"}, timeout=15)
    assert beyond.status_code == 503 and beyond.json()["code"] == "storage_unavailable"
    reply = alice.request("send_message", {"roomId": "r", "message": "refused", "clientMessageId": "x"}, timeout=15)
    assert reply["error"]["code"] == "storage_unavailable" and reply["error"]["retryable"] is True
    fleet.mongo.start()
    taken = eventually(lambda: _send(alice), "taken again")
    assert taken["seq"] == 4
    assert bob.expect("new_message", lambda message: message["seq"] == 4)["message"] == "refused"


def _send(chat):
    reply = chat.request("send_message", {"roomId": "r", "message": "refused", "clientMessageId": "x"}, timeout=15)
    return reply if reply["success"] else None
