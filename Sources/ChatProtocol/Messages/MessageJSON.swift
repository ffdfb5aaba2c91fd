public import ChatDomain
public import JSON

/// A message as JSON, the same wherever it goes: to clients, over REST, into the cache, to other instances and services.
public enum MessageJSON {
    public static func encode(_ message: Message) -> [UInt8] {
        var out = JSONWriter(reserving: message.body.approximateBytes + 200)
        encode(message, into: &out)
        return out.bytes
    }

    /// - Parameter more: writes further members.
    public static func encode(
        _ message: Message, into out: inout JSONWriter, with more: (inout JSONWriter) -> Void = { _ in }
    ) {
        out.beginObject()
        out.key("messageId")
        out.id(message.id)
        out.member("seq", message.sequence)
        out.member("roomId", message.roomID.value)
        write(message.body, message.timestamp, isDeleted: message.isDeleted, into: &out)
        if let state = message.state { write(state, into: &out) }
        more(&out)
        out.endObject()
    }

    /// A message that has no number yet.
    package static func encode(_ draft: MessageDraft, into out: inout JSONWriter) {
        out.beginObject()
        out.key("messageId")
        out.id(draft.id)
        write(draft.body, draft.timestamp, isDeleted: false, into: &out)
        out.endObject()
    }

    private static func write(
        _ body: MessageBody, _ timestamp: Timestamp, isDeleted: Bool, into out: inout JSONWriter
    ) {
        out.member("userId", body.author.value)
        out.member("username", body.username)
        out.member("message", body.text)
        out.member("messageType", body.kind)
        out.member("timestamp", timestamp.milliseconds)
        if let clientMessageID = body.clientMessageID, !isDeleted {
            out.member("clientMessageId", clientMessageID)
        }
        if let metadata = body.metadata {
            out.key("metadata")
            out.raw(metadata.utf8)
        }
        if let replyTo = body.replyTo {
            out.member("replyTo", replyTo)
        }
        out.mentions(body.mentions)
    }

    private static func write(_ state: MessageState, into out: inout JSONWriter) {
        if let editedAt = state.editedAt { out.member("editedAt", editedAt.milliseconds) }
        if state.isDeleted { out.member("deleted", true) }
        if state.isPinned { out.member("pinned", true) }
        if state.changeSequence > 0 { out.member("changeSeq", state.changeSequence) }
        if !state.reactions.isEmpty {
            out.key("reactions")
            out.array(state.reactions) { out, reaction in
                out.object { out in
                    out.member("emoji", reaction.emoji.value)
                    out.member("count", reaction.count)
                    out.key("userIds")
                    out.array(reaction.users) { $0.string($1.value) }
                }
            }
        }
        if state.replyCount > 0 {
            out.member("replyCount", state.replyCount)
            out.member("lastReplySeq", state.lastReply)
        }
    }

    /// nil for anything that is no message of that room: what comes back from another process is input too.
    public static func decode(_ entry: JSONElement, in room: RoomID) -> Message? {
        guard let sequence = MessageNumbers.message(entry["seq"]?.integer), let roomID = entry["roomId"]?.string,
            RoomID(unchecked: roomID) == room, let draft = draft(entry)
        else { return nil }
        var message = Message(draft, in: room, sequence: sequence)
        guard hasState(entry) else { return message }
        guard let state = state(entry) else { return nil }
        message.state = state
        return message
    }

    private static func hasState(_ entry: JSONElement) -> Bool {
        entry["changeSeq"] != nil || entry["replyCount"] != nil
    }

    private static func state(_ entry: JSONElement) -> MessageState? {
        var state = MessageState()
        if let edited = entry["editedAt"] {
            guard let time = edited.integer else { return nil }
            state.editedAt = Timestamp(milliseconds: time)
        }
        state.isDeleted = entry["deleted"]?.bool ?? false
        state.isPinned = entry["pinned"]?.bool ?? false
        state.changeSequence = MessageNumbers.mark(entry["changeSeq"]?.integer)
        state.lastReply = MessageNumbers.mark(entry["lastReplySeq"]?.integer)
        state.replyCount = max(0, entry["replyCount"]?.integer.flatMap { Int(exactly: $0) } ?? 0)
        for element in entry["reactions"]?.elements ?? [] {
            guard state.reactions.count < Reaction.limit, let reaction = reaction(element) else { return nil }
            state.reactions.append(reaction)
        }
        return state
    }

    private static func reaction(_ element: JSONElement) -> Reaction? {
        guard let emoji = element["emoji"]?.string.flatMap({ try? Emoji(validating: $0) }),
            let count = element["count"]?.integer.flatMap({ Int(exactly: $0) }), count > 0,
            let users = users(element["userIds"], limit: Reaction.listedUsers)
        else { return nil }
        return Reaction(emoji: emoji, count: count, users: users)
    }

    /// nil for anything that is no list of at most so many users.
    static func users(_ element: JSONElement?, limit: Int) -> [UserID]? {
        guard let element else { return [] }
        guard element.kind == .array else { return nil }
        var users: [UserID] = []
        for entry in element.elements {
            guard users.count < limit, let text = entry.string,
                let user = try? UserID(validating: text, field: "userIds")
            else { return nil }
            users.append(user)
        }
        return users
    }

    /// nil for anything that is no message without a number.
    package static func draft(_ entry: JSONElement) -> MessageDraft? {
        guard let id = entry["messageId"]?.string.flatMap({ MessageID($0) }),
            let author = entry["userId"]?.string.flatMap({ try? UserID(validating: $0, field: "userId") }),
            let username = entry["username"]?.string, let text = entry["message"]?.string,
            let kind = entry["messageType"]?.string, let timestamp = entry["timestamp"]?.integer
        else { return nil }
        var body = MessageBody(author: author, username: username, text: text, kind: kind)
        guard read("clientMessageId", \.string, of: entry, into: &body.clientMessageID),
            read("metadata", \.compactObject, of: entry, into: &body.metadata),
            read("replyTo", \.string, of: entry, into: &body.replyTo),
            let mentions = users(entry["mentions"], limit: Mentions.limit)
        else { return nil }
        body.mentions = mentions
        return MessageDraft(id: id, body: body, timestamp: Timestamp(milliseconds: timestamp))
    }

    /// False when the member is there and of another kind.
    static func read(
        _ name: StaticString, _ value: (JSONElement) -> String?, of entry: JSONElement, into field: inout String?
    ) -> Bool {
        guard let element = entry[name] else { return true }
        field = value(element)
        return field != nil
    }
}

extension JSONElement {
    var compactObject: String? {
        kind == .object ? String(decoding: serialized, as: UTF8.self) : nil
    }
}

extension JSONWriter {
    /// The member `mentions`, where there are any.
    mutating func mentions(_ users: [UserID]) {
        guard !users.isEmpty else { return }
        key("mentions")
        array(users) { $0.string($1.value) }
    }

    /// A message's id as 24 hex digits.
    public mutating func id(_ id: MessageID) {
        plainString { bytes in id.write { bytes.append($1) } }
    }
}
