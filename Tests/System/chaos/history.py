"""What happened in a run, as the clients saw it and as it was found at the end. The judge reads nothing else.

Times are seconds after the start of the run, by one clock.
"""

import json
import time
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any


@dataclass
class Attempt:
    """One attempt to send one message; a repeat is another attempt with the same client id."""

    # Counts attempts in the order in which they were sent.
    index: int
    client: str
    user: str
    # The connection it went over; None over REST.
    connection: int | None
    instance: int
    room: str
    client_id: str
    text: str
    sent_at: float
    ended_at: float | None = None
    # "acked", "refused", "lost" (the connection ended first) or "unanswered" (the client gave up waiting).
    outcome: str = "lost"
    message_id: str | None = None
    seq: int | None = None
    is_duplicate: bool = False
    code: str | None = None
    is_retryable: bool | None = None


@dataclass
class Request:
    """Anything else that is asked for: a join, a leave, a read mark, a participant added or removed …"""

    client: str
    user: str
    connection: int | None
    instance: int
    kind: str
    room: str
    asked_at: float
    # The user that a participant request names, the number of a read mark.
    subject: Any = None
    ended_at: float | None = None
    outcome: str = "lost"
    code: str | None = None
    is_retryable: bool | None = None


@dataclass
class Membership:
    """A client in a room over one connection: from its join to its leave, or the connection's end."""

    connection: int
    client: str
    user: str
    instance: int
    room: str
    since: int | None
    joined_at: float
    left_at: float | None = None
    # Without a join: its session was recovered.
    is_recovered: bool = False
    # Whether the answer said that messages after `since` are missing.
    resync: bool = False
    last_seq: int = 0
    # (seq, message id, text, seconds), in the order of arrival; the history of the join first. A change has its message's id.
    seen: list[tuple[int, str, str, float]] = field(default_factory=list)
    # Numbers of the messages that the answer showed as changed since.
    changed: list[int] = field(default_factory=list)


@dataclass
class Connection:
    id: int
    client: str
    user: str
    instance: int
    opened_at: float
    closed_at: float | None = None
    # "client", "server", or "client gave up" after an unanswered request.
    closed_by: str | None = None
    code: int | None = None


@dataclass
class Disturbance:
    """A fault as it really was."""

    kind: str
    instance: int | None
    began_at: float
    ended_at: float | None = None


@dataclass
class Oddity:
    """Something that a client got and that no promise allows, but for the reason that its code gives."""

    client: str
    user: str
    at: float
    what: str
    code: str | None = None


@dataclass
class End:
    """An instance that ended by itself."""

    instance: int
    at: float
    exit_code: int
    log: str


@dataclass
class Stored:
    """A message as another program reads it from the store."""

    message_id: str
    room: str
    seq: int
    user: str
    client_id: str | None
    text: str
    # "message", or the kind of a change.
    kind: str = "message"
    # The message that a change is about.
    target: str | None = None
    # Of a message: the number of its last change, whether it is deleted, and its reactions by emoji.
    change_seq: int = 0
    is_deleted: bool = False
    reactions: dict[str, int] = field(default_factory=dict)


@dataclass
class Change:
    """One attempt to change a message."""

    index: int
    client: str
    user: str
    connection: int | None
    instance: int
    room: str
    client_id: str
    # "edited", "deleted" or "reaction".
    kind: str
    target: str
    # The new text, or the emoji.
    text: str
    sent_at: float
    ended_at: float | None = None
    outcome: str = "lost"
    seq: int | None = None
    code: str | None = None
    is_retryable: bool | None = None


@dataclass
class Event:
    message_id: str
    room: str
    seq: int
    sender: str
    receiver: str
    text: str


@dataclass
class Final:
    """What was found when everything was at rest."""

    stored: list[Stored] = field(default_factory=list)
    # Texts of deleted messages that the store or Redis holds still.
    leftovers: list[str] = field(default_factory=list)
    # Messages as clients have them: client → room → message id → [text, deleted, reactions].
    views: dict[str, dict[str, dict[str, list[Any]]]] = field(default_factory=dict)
    # What each instance gives as a room's history: instance → room → (seq, message id, text).
    pages: dict[str, dict[str, list[tuple[int, str, str]]]] = field(default_factory=dict)
    # Participants by the store and each instance: source → room → users.
    participants: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    # Sessions of each user by each instance: instance → user → sessions; and the truth.
    sessions: dict[str, dict[str, int]] = field(default_factory=dict)
    expected_sessions: dict[str, int] = field(default_factory=dict)
    # Users in a room by each instance, and the truth: instance → room → users.
    members: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    expected_members: dict[str, list[str]] = field(default_factory=dict)
    # What other programs read in Redis: key → members.
    keys: dict[str, list[str]] = field(default_factory=dict)
    expected_keys: dict[str, list[str]] = field(default_factory=dict)
    # Read marks by each instance: instance → room → user → seq.
    read_marks: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)
    # What users are told of their rooms: user → room → [last seq, seq of the last message, last read seq, unread].
    listings: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    # What other programs read in the store: room → seq of its last message.
    last_messages: dict[str, int] = field(default_factory=dict)
    # Seconds from the last fault's end until `/ready` was ok at each instance; None: not within the time limit.
    ready_after: dict[str, float | None] = field(default_factory=dict)
    # Seconds from the last fault's end until all messages were acknowledged, seen, and their events published.
    rest_after: dict[str, float | None] = field(default_factory=dict)
    # What was not yet as it has to be when that was last looked at.
    last_left: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class History:
    seed: int = 0
    owners: dict[str, str] = field(default_factory=dict)
    private_rooms: list[str] = field(default_factory=list)
    # room → users that were participants before the first message.
    founders: dict[str, list[str]] = field(default_factory=dict)
    attempts: list[Attempt] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    memberships: list[Membership] = field(default_factory=list)
    connections: list[Connection] = field(default_factory=list)
    disturbances: list[Disturbance] = field(default_factory=list)
    oddities: list[Oddity] = field(default_factory=list)
    ends: list[End] = field(default_factory=list)
    final: Final = field(default_factory=Final)
    # When commands and faults ended and the clients were left to come to rest.
    rested_at: float = 0

    def __post_init__(self) -> None:
        self._started = time.monotonic()

    def now(self) -> float:
        return round(time.monotonic() - self._started, 4)

    def save(self, file: Path) -> None:
        file.write_text(json.dumps(asdict(self)))

    @staticmethod
    def load(file: Path) -> "History":
        raw = json.loads(file.read_text())
        kinds = {
            "attempts": Attempt,
            "changes": Change,
            "requests": Request,
            "memberships": Membership,
            "connections": Connection,
            "disturbances": Disturbance,
            "oddities": Oddity,
            "ends": End,
        }
        for name, kind in kinds.items():
            raw[name] = [kind(**each) for each in raw[name]]
        final = raw["final"]
        final["stored"] = [Stored(**each) for each in final["stored"]]
        final["events"] = [Event(**each) for each in final["events"]]
        raw["final"] = Final(**final)
        return History(**{each.name: raw[each.name] for each in fields(History)})
