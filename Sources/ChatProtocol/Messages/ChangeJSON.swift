import ChatDomain
import JSON

/// A change of a message as JSON: the event that clients get, which other instances get with some members more.
package enum ChangeJSON {
    /// The event's name.
    package static func event(of change: MessageChange) -> StaticString {
        switch change.kind {
        case .edited: "message_edited"
        case .deleted: "message_deleted"
        case .reaction: "message_reaction"
        case .pinned: "message_pinned"
        }
    }

    /// The event's data for clients.
    package static func encode(_ change: MessageChange) -> [UInt8] {
        var out = JSONWriter(reserving: change.approximateBytes + 200)
        out.object { write(change, into: &$0) }
        return out.bytes
    }

    /// The event's data with what other instances need besides.
    package static func encodeForInstances(_ change: MessageChange, into out: inout JSONWriter) {
        out.object { out in
            write(change, into: &out)
            out.key("changeId")
            out.id(change.id)
            out.member("messageSeq", change.messageSequence)
            out.member("by", change.user.username)
            out.member("at", change.timestamp.milliseconds)
            if let id = change.clientMessageID { out.member("clientMessageId", id) }
            if case .reaction(let reaction) = change.kind, let successor = reaction.successor {
                out.member("successor", successor.value)
            }
        }
    }

    private static func write(_ change: MessageChange, into out: inout JSONWriter) {
        out.member("roomId", change.roomID.value)
        out.key("messageId")
        out.id(change.messageID)
        out.member("seq", change.sequence)
        out.member("userId", change.user.userID.value)
        switch change.kind {
        case .edited(let edit):
            out.member("message", edit.text)
            if let metadata = edit.metadata {
                out.key("metadata")
                out.raw(metadata.utf8)
            }
            out.mentions(edit.mentions)
            out.member("editedAt", change.timestamp.milliseconds)
        case .deleted: out.member("timestamp", change.timestamp.milliseconds)
        case .reaction(let reaction):
            out.member("username", change.user.username)
            out.member("emoji", reaction.emoji.value)
            out.member("removed", reaction.isRemoved)
            out.member("count", reaction.count)
        case .pinned(let isPinned): out.member("pinned", isPinned)
        }
    }

    /// nil for anything that is no change of that room: what comes from another process is input too.
    ///
    /// - Parameter event: the name it came under.
    package static func decode(_ event: String, _ entry: JSONElement, in room: RoomID) -> MessageChange? {
        guard entry["roomId"]?.string.map({ RoomID(unchecked: $0) }) == room,
            let id = entry["changeId"]?.string.flatMap({ MessageID($0) }),
            let sequence = MessageNumbers.message(entry["seq"]?.integer),
            let messageID = entry["messageId"]?.string.flatMap({ MessageID($0) }),
            let messageSequence = MessageNumbers.message(entry["messageSeq"]?.integer),
            let userID = entry["userId"]?.string.flatMap({ try? UserID(validating: $0, field: "userId") }),
            let username = entry["by"]?.string, let time = entry["at"]?.integer, let kind = kind(event, entry)
        else { return nil }
        return MessageChange(
            id: id, sequence: sequence, roomID: room, messageID: messageID, messageSequence: messageSequence,
            user: RoomUser(userID: userID, username: username), kind: kind, timestamp: Timestamp(milliseconds: time),
            clientMessageID: entry["clientMessageId"]?.string)
    }

    /// The text, mentions and metadata of an edit; nil where they are none.
    static func edit(_ entry: JSONElement) -> MessageEdit? {
        guard let text = entry["message"]?.string,
            let mentions = MessageJSON.users(entry["mentions"], limit: Mentions.limit)
        else { return nil }
        var edit = MessageEdit(text: text, mentions: mentions)
        return MessageJSON.read("metadata", \.compactObject, of: entry, into: &edit.metadata) ? edit : nil
    }

    private static func kind(_ event: String, _ entry: JSONElement) -> MessageChange.Kind? {
        switch event {
        case "message_edited":
            return edit(entry).map { .edited($0) }
        case "message_deleted": return .deleted
        case "message_reaction":
            guard let emoji = entry["emoji"]?.string.flatMap({ try? Emoji(validating: $0) }),
                let isRemoved = entry["removed"]?.bool,
                let count = entry["count"]?.integer.flatMap({ Int(exactly: $0) }), count >= 0
            else { return nil }
            let successor = entry["successor"]?.string.flatMap { try? UserID(validating: $0, field: "userId") }
            return .reaction(
                ReactionChange(emoji: emoji, isRemoved: isRemoved, count: count, successor: successor))
        case "message_pinned": return entry["pinned"]?.bool.map { .pinned($0) }
        default: return nil
        }
    }
}
