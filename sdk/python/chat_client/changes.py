"""Changes of messages. Messages are values: a change gives a new one and leaves the old one alone."""

from typing import Any

Message = dict[str, Any]

# The kind of change that an event of the server stands for.
KINDS = {
    "message_edited": "edited",
    "message_deleted": "deleted",
    "message_reaction": "reaction",
    "message_pinned": "pinned",
}
# Most ids of users kept with a reaction; the count goes on.
_MOST_REACTORS = 50
# What a deleted message keeps.
_KEPT = (
    "messageId",
    "seq",
    "roomId",
    "userId",
    "username",
    "messageType",
    "timestamp",
    "replyTo",
    "replyCount",
    "lastReplySeq",
)


def changed(message: Message, change: dict[str, Any]) -> Message:
    """The message after the change; the same object when the message has the change already."""
    if change["seq"] <= message.get("changeSeq", 0):
        return message
    return _MAKERS[change["kind"]](message, change) | {"changeSeq": change["seq"]}


def with_reply(message: Message, reply: Message) -> Message:
    """The message after a reply to it. A reply that is counted already changes nothing."""
    if reply["seq"] <= message.get("lastReplySeq", 0):
        return message
    return message | {"replyCount": message.get("replyCount", 0) + 1, "lastReplySeq": reply["seq"]}


def _edited(message: Message, change: dict[str, Any]) -> Message:
    kept = {name: value for name, value in message.items() if name != "mentions"}
    fields = ("message", "metadata", "mentions", "editedAt")
    return kept | {name: change[name] for name in fields if change.get(name) is not None}


def _deleted(message: Message, _: dict[str, Any]) -> Message:
    return {name: message[name] for name in _KEPT if name in message} | {"message": "", "deleted": True}


def _reaction(message: Message, change: dict[str, Any]) -> Message:
    emoji, user, count = change["emoji"], change["userId"], change["count"]
    reactions = [dict(reaction) for reaction in message.get("reactions", [])]
    found = next((reaction for reaction in reactions if reaction["emoji"] == emoji), None)
    if found is None:
        found = {"emoji": emoji, "count": 0, "userIds": []}
        reactions.append(found)
    others = [id for id in found["userIds"] if id != user]
    found["userIds"] = others if change.get("removed") else [*others, user][-_MOST_REACTORS:]
    found["count"] = count
    return message | {"reactions": [reaction for reaction in reactions if reaction["count"] > 0]}


def _pinned(message: Message, change: dict[str, Any]) -> Message:
    return message | {"pinned": bool(change.get("pinned"))}


_MAKERS = {"edited": _edited, "deleted": _deleted, "reaction": _reaction, "pinned": _pinned}
