"""One room as this user sees it."""

from typing import Any

from .errors import RequestError
from .timeline import Timeline

# Most read marks kept of a room; the ones that moved longest ago go first.
_MOST_READS = 500


class Room:
    def __init__(self, id: str):
        self.id = id
        self.timeline = Timeline()
        # The users that are present and shown, by id; above 200 they are not all known.
        self.people: dict[str, str] = {}
        self.typing: set[str] = set()
        self.read_marks: dict[str, int] = {}
        self.last_read_seq = 0
        self.members = 0
        self.online = 0
        self.is_joined = False
        # It is joined in every session, until it is left or the server refuses for good.
        self.is_wanted = False
        # Why the room could not be joined or was closed.
        self.error: RequestError | None = None

    @property
    def messages(self) -> list[dict[str, Any]]:
        """Those that are here, oldest first, as they are now."""
        return self.timeline.messages

    def joined(self, answer: dict[str, Any]) -> None:
        self.people = {user["userId"]: user["username"] for user in answer.get("users", [])}
        for mark in answer.get("readMarks", []):
            self.note_read(mark["userId"], mark["seq"])
        self.note_counts(answer)
        self.is_joined, self.error = True, None

    def note_counts(self, data: dict[str, Any]) -> None:
        self.members, self.online = data.get("members", self.members), data.get("online", self.online)

    def note_read(self, user_id: str, seq: int) -> None:
        mark = max(self.read_marks.pop(user_id, 0), seq)
        if len(self.read_marks) >= _MOST_READS:
            del self.read_marks[next(iter(self.read_marks))]
        self.read_marks[user_id] = mark

    def forget_live_state(self) -> None:
        """After a disconnect it is not known which users are here and type."""
        self.is_joined = False
        self.typing.clear()
