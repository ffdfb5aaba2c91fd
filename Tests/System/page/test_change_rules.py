"""What the page makes of a room's log: its modules, imported in the browser, against a model in this file."""

import copy
import random

import pytest

# A client that hears the log live, drops and repeats some of it, resumes when there is a hole, and at times goes away and joins again.
CLIENT = """async (steps) => {
  const { Timeline } = await import('/client/sdk/index.js');
  const timeline = new Timeline();
  const holes = [];
  for (const [name, value] of steps) {
    const { hole } = timeline[name](value);
    holes.push(Boolean(hole));
  }
  return { messages: timeline.messages, lastSeq: timeline.lastSeq, holes };
}"""


class Log:
    """A room as the server has it: numbered entries, and every message as it is now."""

    def __init__(self, chance: random.Random):
        self.chance = chance
        self.entries: list[dict] = []
        self.messages: dict[str, dict] = {}

    @property
    def last(self) -> int:
        return len(self.entries)

    def write(self):
        seq = self.last + 1
        living = [message for message in self.messages.values() if not message.get("deleted")]
        kind = self.chance.choice(["message", "message", "edited", "deleted", "reaction", "reaction", "pinned"])
        if kind == "message" or not living:
            self.entries.append({"seq": seq, "message": self._message(seq)})
        else:
            message = self.chance.choice(living)
            change = {"kind": kind, "roomId": "r", "messageId": message["messageId"], "seq": seq, "userId": "ada"}
            change |= getattr(self, f"_{kind}")(message, seq)
            message["changeSeq"] = seq
            self.entries.append({"seq": seq, "change": change})

    def _message(self, seq):
        message = {"messageId": f"m{seq}", "seq": seq, "roomId": "r", "userId": "ben", "username": "Ben", "message": f"text {seq}", "timestamp": seq}
        if self.messages and self.chance.random() < 0.3:
            answered = self.chance.choice(list(self.messages.values()))
            message["replyTo"] = answered["messageId"]
            answered["replyCount"] = answered.get("replyCount", 0) + 1
            answered["lastReplySeq"] = seq
        self.messages[message["messageId"]] = dict(message)
        return message

    def _edited(self, message, seq):
        message |= {"message": f"edit {seq}", "editedAt": seq}
        message["mentions"] = ["ada"]
        return {"message": message["message"], "editedAt": seq, "mentions": ["ada"]}

    def _deleted(self, message, seq):
        kept = ("messageId", "seq", "roomId", "userId", "username", "timestamp", "replyTo", "replyCount", "lastReplySeq")
        stone = {name: message[name] for name in kept if name in message} | {"message": "", "deleted": True}
        message.clear()
        message |= stone
        return {"timestamp": seq}

    def _reaction(self, message, seq):
        user, emoji = self.chance.choice(["ada", "ben", "cleo"]), self.chance.choice("👍🎉")
        reactions = message.setdefault("reactions", [])
        found = next((each for each in reactions if each["emoji"] == emoji), None)
        removed = found is not None and user in found["userIds"]
        if removed:
            found["userIds"].remove(user)
        else:
            if found is None:
                found = {"emoji": emoji, "userIds": []}
                reactions.append(found)
            found["userIds"].append(user)
        found["count"] = len(found["userIds"])
        if found["count"] == 0:
            reactions.remove(found)
        if not reactions:
            del message["reactions"]
        return {"userId": user, "username": user.title(), "emoji": emoji, "removed": removed, "count": found["count"]}

    def _pinned(self, message, seq):
        message["pinned"] = not message.get("pinned", False)
        return {"pinned": message["pinned"]}

    def answer(self, since: int | None) -> dict:
        """What a join is answered with."""
        messages = copy.deepcopy(list(self.messages.values()))
        if since is None:
            return {"messages": messages, "lastSeq": self.last}
        newer = [message for message in messages if message["seq"] > since]
        # A message that got an answer is as much another one as a changed one.
        older = [m for m in messages if m["seq"] <= since and max(m.get("changeSeq", 0), m.get("lastReplySeq", 0)) > since]
        return {"messages": newer, "changes": older, "lastSeq": self.last}


def shown(messages):
    """Without what is empty: the page may have it or not."""
    return [{name: value for name, value in message.items() if value not in (None, [], False)} for message in messages]


@pytest.fixture
def page(window):
    chat = window()
    chat.page.goto(chat.url)
    return chat.page


@pytest.mark.parametrize("seed", range(12))
def test_a_client_that_applied_everything_sees_what_history_shows(page, seed):
    chance = random.Random(seed)
    log = Log(chance)
    steps, seen = [], None
    for _ in range(120):
        log.write()
        entry = log.entries[-1]
        what = chance.random()
        if seen is None or what < 0.04:
            steps.append(["applyJoin", log.answer(seen)])
            seen = log.last
        elif what < 0.9:
            steps.append(["receive", entry])
            if seen == entry["seq"] - 1:
                seen = entry["seq"]
            else:
                # It was lost or is ahead: the client resumes where its view ends.
                steps.append(["applyJoin", log.answer(seen)])
                seen = log.last
            if chance.random() < 0.1:
                steps.append(["receive", entry])
    steps.append(["applyJoin", log.answer(seen)])
    # What a later step changes must not be seen earlier: each goes over as it was.
    out = page.evaluate(CLIENT, steps)
    assert out["lastSeq"] == log.last
    assert shown(out["messages"]) == shown(log.messages.values())


def test_a_change_twice_changes_nothing(page):
    script = """async () => {
      const { changed } = await import('/client/sdk/index.js');
      const message = { messageId: 'm', seq: 1, message: 'a' };
      const change = { kind: 'reaction', seq: 2, emoji: '👍', userId: 'ada', removed: false, count: 1 };
      const once = changed(message, change);
      return [changed(once, change) === once, message.reactions === undefined, once.reactions[0].count];
    }"""
    assert page.evaluate(script) == [True, True, 1]


def test_a_reaction_is_counted_ahead_of_the_answer_and_corrected_by_it(page):
    script = """async () => {
      const { withReaction } = await import('/client/sdk/index.js');
      const many = [{ emoji: '👍', count: 30, userIds: ['b', 'c'] }];
      const ahead = withReaction(many, { emoji: '👍', userId: 'a', removed: false });
      const twice = withReaction(ahead, { emoji: '👍', userId: 'a', removed: false });
      const told = withReaction(twice, { emoji: '👍', userId: 'a', removed: false, count: 35 });
      const gone = withReaction([{ emoji: '🎉', count: 1, userIds: ['a'] }], { emoji: '🎉', userId: 'a', removed: true });
      return [ahead[0].count, twice[0].count, told[0].count, gone.length, many[0].count];
    }"""
    assert page.evaluate(script) == [31, 31, 35, 0, 30]


def test_deleting_an_unread_message_takes_it_off_the_count(page):
    script = """async () => {
      const { ShownRoom } = await import('/client/model/room.js');
      const room = new ShownRoom('r');
      const message = { messageId: 'm1', seq: 1, userId: 'ben', message: '<@ada>', mentions: ['ada'], timestamp: 1 };
      room.showPreview(message);
      room.countUnread(message, 'ada');
      const before = [room.unread, room.mentions];
      room.applyChange({ kind: 'deleted', messageId: 'm1', seq: 2 }, message, 'ada');
      return [...before, room.unread, room.mentions, room.preview.message, room.preview.deleted];
    }"""
    assert page.evaluate(script) == [1, 1, 0, 0, "", True]


def test_the_window_of_rows_moves_and_keeps_its_end(page):
    script = """async () => {
      const { ListWindow } = await import('/client/view/list-window.js');
      const items = (from, to) => Array.from({ length: to - from }, (_, at) => ({ key: `k${from + at}`, seq: from + at }));
      const shownWindow = new ListWindow();
      const ends = (list) => { const shown = shownWindow.of(list); return [shown[0].seq, shown.at(-1).seq]; };
      const out = [ends(items(1000, 2000))];
      shownWindow.moveUp();
      out.push(ends(items(1000, 2000)));
      out.push(ends(items(900, 2000)));
      out.push(ends(items(900, 2100)));
      shownWindow.around(({ seq }) => seq === 1500);
      out.push(ends(items(900, 2100)));
      while (shownWindow.moveDown()) shownWindow.of(items(900, 2100));
      out.push(ends(items(900, 2100)));
      return out;
    }"""
    first, up, older, newer, middle, end = page.evaluate(script)
    assert first == [1840, 1999]
    assert up == older == newer == [1790, 1949]
    assert middle[0] < 1500 < middle[1]
    assert end == [1940, 2099]
