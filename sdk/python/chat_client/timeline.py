"""One room's log, number by number, without I/O."""

from dataclasses import dataclass, field
from typing import Any

from .changes import Message, changed, with_reply

# Most messages kept of a room; history has the older ones.
_MOST_KEPT = 600
# Most entries held back while a hole before them is filled.
_MOST_HELD = 500


@dataclass
class News:
    """What took its place: messages, and changes as `(change, message before)`."""

    added: list[Message] = field(default_factory=list)
    changes: list[tuple[dict[str, Any], Message | None]] = field(default_factory=list)
    # Something before the entry is missing.
    hole: bool = False
    # The messages do not follow on those that were here before.
    replaced: bool = False


class Timeline:
    """The newest part of a log. An entry is a message, or a change with its `kind`; both have a `seq`."""

    def __init__(self) -> None:
        self.last_seq = 0
        self.is_primed = False
        self._by_id: dict[str, Message] = {}
        self._held: dict[int, dict[str, Any]] = {}
        self._was_reset = False

    @property
    def messages(self) -> list[Message]:
        """Oldest first, as they are now."""
        return list(self._by_id.values())

    def find(self, message_id: str) -> Message | None:
        return self._by_id.get(message_id)

    def receive(self, entry: dict[str, Any]) -> News:
        """Takes a live entry. An entry behind a hole is held."""
        news = News()
        if self.is_primed and entry["seq"] <= self.last_seq:
            return news
        if self.is_primed and entry["seq"] == self.last_seq + 1:
            self._take(entry, news)
            self._release(news)
        else:
            if len(self._held) < _MOST_HELD:
                self._held[entry["seq"]] = entry
            news.hole = self.is_primed
        return news

    def apply_join(self, answer: dict[str, Any]) -> News:
        """Takes the answer to a join. It is complete: a number that is still missing is no message."""
        news = News(replaced=self._was_reset or (self.is_primed and bool(answer.get("resync"))))
        self.is_primed, self._was_reset = True, False
        if news.replaced:
            self._by_id, self.last_seq = {}, 0
        for message in answer.get("messages", []):
            if message["seq"] > self.last_seq or not self._by_id:
                self._by_id[message["messageId"]] = message
                news.added.append(message)
        for message in answer.get("changes", []):
            if message["messageId"] in self._by_id:
                self._by_id[message["messageId"]] = message
        # A message that was only answered is not among the changes.
        for message in news.added:
            self._note_reply(message)
        newest = news.added[-1]["seq"] if news.added else 0
        self.last_seq = max(self.last_seq, answer.get("lastSeq", 0), newest)
        self._release(news)
        self._trim()
        return news

    def reset(self) -> None:
        """Drops everything. The next join begins anew."""
        self._was_reset = self.is_primed
        self._by_id, self.last_seq, self.is_primed = {}, 0, False

    def _take(self, entry: dict[str, Any], news: News) -> None:
        self.last_seq = entry["seq"]
        if "kind" in entry:
            before = self._by_id.get(entry["messageId"])
            if before is not None:
                self._by_id[entry["messageId"]] = changed(before, entry)
            news.changes.append((entry, before))
            return
        self._by_id[entry["messageId"]] = entry
        self._note_reply(entry)
        news.added.append(entry)
        self._trim()

    def _note_reply(self, message: Message) -> None:
        answered = self._by_id.get(message.get("replyTo", ""))
        if answered is not None:
            self._by_id[answered["messageId"]] = with_reply(answered, message)

    def _release(self, news: News) -> None:
        for seq in sorted(self._held):
            if seq > self.last_seq + 1:
                break
            entry = self._held.pop(seq)
            if seq > self.last_seq:
                self._take(entry, news)

    def _trim(self) -> None:
        while len(self._by_id) > _MOST_KEPT:
            del self._by_id[next(iter(self._by_id))]
