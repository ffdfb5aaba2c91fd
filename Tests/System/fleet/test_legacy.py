"""A collection of an older program, which numbered nothing."""

import datetime
import subprocess

import pytest
from bson import ObjectId

from support.deadline import TIMEOUT_SECONDS
from support.server import binary, clean_environment
from support.talkers import whole_history

START = datetime.datetime(2024, 5, 1, 12, 0, tzinfo=datetime.timezone.utc)


def insert_old(fleet, room: str, count: int, first: int = 0) -> list[str]:
    """Messages as the older program wrote them, in no order and some at the same time; their texts as they were said."""
    messages = [
        {
            "_id": ObjectId(f"{first + number:024x}"),
            "roomId": room,
            "userId": f"user-{number % 3}",
            "username": f"User {number % 3}",
            "message": f"old {first + number}",
            "messageType": "text",
            # Three share each moment: then the id decides.
            "timestamp": START + datetime.timedelta(seconds=(first + number) // 3),
            "createdAt": START,
        }
        for number in range(count)
    ]
    if messages:
        fleet.database()["messages"].insert_many(messages[1::2] + messages[0::2])
    return [message["message"] for message in messages]


@pytest.fixture
def legacy(make_fleet):
    """A fleet that was started on a collection with rooms `old` (25 messages), `long` (700) and `quiet` (3)."""
    return make_fleet(before=_insert_all)


def _insert_all(fleet) -> None:
    insert_old(fleet, "old", 25)
    insert_old(fleet, "long", 700, first=1000)
    insert_old(fleet, "quiet", 3, first=5000)
    # The older program knew of these two as rooms.
    room = {"type": "group", "participants": [], "createdAt": START, "updatedAt": START}
    fleet.database()["rooms"].insert_many([{"roomId": id, **room} for id in ("old", "long")])


def seen(server, room: str) -> list[tuple[int, str]]:
    return [(message["seq"], message["message"]) for message in whole_history(server, room)]


def expected(count: int, first: int = 0) -> list[tuple[int, str]]:
    return [(number + 1, f"old {first + number}") for number in range(count)]


def numbers(fleet, room: str) -> list[int | None]:
    """As they are stored, the old ones in the order they were said."""
    found = fleet.database()["messages"].find({"roomId": room}).sort([("timestamp", 1), ("_id", 1)])
    old = [document.get("seq") for document in found.clone() if document["message"].startswith("old")]
    return old + sorted(document["seq"] for document in found if not document["message"].startswith("old"))


def test_served_numbered_and_continued(legacy, make_chat):
    one, two = legacy.servers
    for server in legacy.servers:
        assert seen(server, "old") == expected(25)
        assert seen(server, "long") == expected(700, 1000)
    page = one.get("/api/chat/long/history?before=650&limit=3").json()
    assert [message["seq"] for message in page["messages"]] == [647, 648, 649]
    for server in legacy.servers:
        # The rooms collection never had this one.
        assert seen(server, "quiet") == expected(3, 5000)
    alice, bob = make_chat(one, "alice"), make_chat(two, "bob")
    joined = alice.join("old")
    assert [message["seq"] for message in joined["history"]] == list(range(1, 26))
    assert bob.join("old", since=20)["history"][0]["seq"] == 21
    assert [alice.send("old", f"new {n}")["seq"] for n in range(2)] == [26, 27]
    assert bob.send("old", "new 2")["seq"] == 28
    everything = expected(25) + [(26, "new 0"), (27, "new 1"), (28, "new 2")]

    # Written down while the service runs.
    done = legacy.migrate()
    assert done.returncode == 0, done.stderr
    assert numbers(legacy, "old") == list(range(1, 29))
    assert numbers(legacy, "long") == list(range(1, 701))
    assert numbers(legacy, "quiet") == [1, 2, 3]
    for server in legacy.servers:
        assert seen(server, "old") == everything
    assert alice.send("old", "after")["seq"] == 29
    assert bob.expect("new_message", lambda message: message["seq"] == 29)["message"] == "after"

    again = legacy.migrate()
    assert again.returncode == 0 and numbers(legacy, "old")[:28] == list(range(1, 29)), "nothing is left to do"


def test_a_migration_under_load_killed_and_resumed(legacy, make_chat):
    """It is stopped wherever it is; clients that chat meanwhile are not disturbed."""
    one, two = legacy.servers
    alice, bob = make_chat(one, "alice"), make_chat(two, "bob")
    for chat in (alice, bob):
        chat.join("long")
    env = {"MONGODB_URI": legacy.mongo.uri(), "LOG_FORMAT": "json"}
    sent: list[int] = []
    for delay in (0.1, 0.3, 0.5):
        process = subprocess.Popen(
            [str(binary()), "migrate"],
            env=clean_environment(env),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            process.wait(delay)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for chat in (alice, bob):
            sent.append(chat.send("long", f"new {len(sent)}")["seq"])
    assert sent == list(range(701, 707))
    done = legacy.migrate()
    assert done.returncode == 0, done.stderr
    for room, count in (("long", 706), ("old", 25), ("quiet", 3)):
        assert numbers(legacy, room) == list(range(1, count + 1))
    new = [(701 + n, f"new {n}") for n in range(6)]
    for server in legacy.servers:
        assert seen(server, "long") == expected(700, 1000) + new


def test_without_mongodb_the_embedded_store_is_brought_up_to_date(tmp_path):
    done = subprocess.run(
        [str(binary()), "migrate"],
        env=clean_environment({"DATA_DIR": str(tmp_path)}),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
    )
    assert done.returncode == 0 and '"message":"migrated"' in done.stderr
    assert (tmp_path / "chat.db").exists()
