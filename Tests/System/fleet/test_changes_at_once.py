"""Changes of one message at the same moment, on two instances: edits, a storm of reactions, changes while the message is being deleted."""

import threading
import time
from typing import Any, Callable

import pytest

from support.chat import Chat, Refused
from support.deadline import eventually

ALICE = {"X-User-Id": "alice"}
CHANGES = ("message_edited", "message_deleted", "message_reaction", "message_pinned")


class Copy:
    """A message as a client sees it that applies everything it is sent."""

    def __init__(self, chat: Chat, room: str):
        self.chat = chat
        self.room = room
        self.text = ""
        self.deleted = False
        self.reacted: set[tuple[str, str]] = set()
        self.seqs: list[int] = []

    def catch_up(self, last: int) -> None:
        """Takes everything up to this number, which has to come in order, without holes."""
        eventually(lambda: self._take() and self.seqs and self.seqs[-1] >= last, f"everything up to {last}")
        assert self.seqs == list(range(self.seqs[0], last + 1))

    def _take(self) -> bool:
        self.chat.request("heartbeat")
        inbox, self.chat.inbox[:] = list(self.chat.inbox), []
        for name, event in inbox:
            if name == "new_message" or name in CHANGES:
                self.seqs.append(event["seq"])
                self._apply(name, event)
        return True

    def _apply(self, name: str, event: dict[str, Any]) -> None:
        match name:
            case "new_message":
                self.text = event["message"]
            case "message_edited":
                assert not self.deleted, "nothing changes a deleted message"
                self.text = event["message"]
            case "message_deleted":
                self.deleted, self.text, self.reacted = True, "", set()
            case "message_reaction":
                assert not self.deleted, "nothing changes a deleted message"
                change = self.reacted.discard if event["removed"] else self.reacted.add
                change((event["emoji"], event["userId"]))
                count = sum(emoji == event["emoji"] for emoji, _ in self.reacted)
                assert event["count"] == count


def at_once(*jobs: Callable[[], Any]) -> list[Any]:
    """What each job gave, or the code of its refusal. All begin together."""
    barrier = threading.Barrier(len(jobs))
    results: list[Any] = [None] * len(jobs)

    def run(index: int) -> None:
        barrier.wait()
        try:
            results[index] = jobs[index]()
        except Refused as refused:
            results[index] = refused.code
        except BaseException as error:
            results[index] = error

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results


def shown(server, room: str) -> dict[str, Any]:
    [message] = server.get(f"/api/chat/{room}/history?limit=1", headers=ALICE).json()["messages"]
    return message


def reactions(message: dict[str, Any]) -> set[tuple[str, str]]:
    return {(each["emoji"], user) for each in message.get("reactions", []) for user in each["userIds"]}


@pytest.fixture
def pair(fleet, make_chat, room):
    """One user on both instances, and a message of hers that both have seen."""
    chats = [make_chat(server, "alice") for server in fleet.servers]
    for chat in chats:
        chat.join(room)
    said = chats[0].send(room, "start")["messageId"]
    copies = [Copy(chat, room) for chat in chats]
    for copy in copies:
        copy.catch_up(1)
    return chats, copies, said


def edit(chat: Chat, room: str, message: str, text: str) -> Callable[[], Any]:
    return lambda: chat.ask("edit_message", {"roomId": room, "messageId": message, "message": text})


def test_two_edits_at_once_leave_the_same_text_everywhere(fleet, pair, room):
    chats, copies, said = pair
    for number in range(10):
        answers = at_once(*(edit(chat, room, said, f"{number} by {index}") for index, chat in enumerate(chats)))
        stored = [answer for answer in answers if isinstance(answer, dict)]
        assert stored and all(answer == "conflict" for answer in answers if not isinstance(answer, dict))
        last = max(answer["seq"] for answer in stored)
        for copy in copies:
            copy.catch_up(last)
        winner = next(index for index, answer in enumerate(answers) if isinstance(answer, dict) and answer["seq"] == last)
        assert [copy.text for copy in copies] == [f"{number} by {winner}"] * 2
        for server in fleet.servers:
            assert (shown(server, room)["message"], shown(server, room)["changeSeq"]) == (f"{number} by {winner}", last)


def toggles(chat: Chat, room: str, message: str, count: int, pause: float) -> int:
    """Puts a thumb there and takes it away, in turn, at a steady rate, without waiting for answers. The last number that it got."""
    ids = []
    for number in range(count):
        ids.append(chat.emit_with_id("react", {"roomId": room, "messageId": message, "emoji": "👍", "remove": number % 2 == 1}))
        time.sleep(pause)
    answers = [chat.reply(id) for id in ids]
    assert all(answer["success"] and not answer.get("unchanged") for answer in answers), answers
    return max(answer["seq"] for answer in answers)


def test_a_storm_of_reactions_ends_the_same_everywhere(fleet, make_chat, pair, room):
    """One user at a hundred a second, then ten users at once on both instances; half of them leave their thumb."""
    chats, copies, said = pair
    last = toggles(chats[0], room, said, 100, pause=0.01)
    users = [make_chat(fleet.servers[number % 2], f"user-{number}") for number in range(10)]
    for user in users:
        user.join(room)
    last = max(
        at_once(
            *(lambda user=user, count=9 + index // 2 % 2: toggles(user, room, said, count, pause=0.01)
              for index, user in enumerate(users))
        )
    )  # fmt: skip
    for user in users:
        # What is unread would hold up its closing handshake.
        user.request("heartbeat")
    expected = {("👍", f"user-{index}") for index in range(10) if (9 + index // 2 % 2) % 2 == 1}
    for copy in copies:
        copy.catch_up(last)
        assert copy.reacted == expected
    for server in fleet.servers:
        message = shown(server, room)
        assert reactions(message) == expected and message["changeSeq"] == last
        assert [each["count"] for each in message["reactions"]] == [len(expected)]


def test_nothing_changes_a_message_that_is_being_deleted(fleet, pair, room):
    chats, copies, said = pair
    for number in range(6):
        word = f"secret-{number}-of-{room}"
        if number > 0:
            said = chats[0].send(room, "again")["messageId"]
            for copy in copies:
                copy.deleted = False
        answers = at_once(
            lambda: chats[0].ask("delete_message", {"roomId": room, "messageId": said}),
            lambda: [edit(chats[1], room, said, f"{word} {attempt}")() for attempt in range(3)][-1],
        )
        deletion = answers[0]
        assert isinstance(deletion, dict), deletion
        assert answers[1] == "conflict" or answers[1]["seq"] < deletion["seq"]
        # Whatever edit is refused later on, none was stored behind the deletion.
        for copy in copies:
            copy.catch_up(deletion["seq"])
            assert copy.deleted
        for server in fleet.servers:
            stone = shown(server, room)
            assert (stone["deleted"], stone["message"], stone["changeSeq"]) == (True, "", deletion["seq"])
        assert word not in str(list(fleet.database()["messages"].find({"roomId": room})))
        with fleet.keys() as keys:
            assert not any(word in entry for entry in keys.lrange(f"chat:history:{room}", 0, -1))
