public import ChatDomain
public import JSON

/// A message as JSON, the same wherever it goes: to clients, over REST, into the cache, to other instances and services.
public enum MessageJSON {
    public static func encode(_ message: Message) -> [UInt8] {
        var out = JSONWriter(reserving: message.body.approximateBytes + 200)
        encode(message, into: &out)
        return out.bytes
    }

    public static func encode(_ message: Message, into out: inout JSONWriter) {
        out.beginObject()
        out.key("messageId")
        out.id(message.id)
        out.member("seq", message.sequence)
        out.member("roomId", message.roomID.value)
        write(message.body, message.timestamp, into: &out)
        out.endObject()
    }

    /// A message that has no number yet.
    package static func encode(_ draft: MessageDraft, into out: inout JSONWriter) {
        out.beginObject()
        out.key("messageId")
        out.id(draft.id)
        write(draft.body, draft.timestamp, into: &out)
        out.endObject()
    }

    private static func write(_ body: MessageBody, _ timestamp: Timestamp, into out: inout JSONWriter) {
        out.member("userId", body.author.value)
        out.member("username", body.username)
        out.member("message", body.text)
        out.member("messageType", body.kind)
        out.member("timestamp", timestamp.milliseconds)
        if let clientMessageID = body.clientMessageID {
            out.member("clientMessageId", clientMessageID)
        }
        if let metadata = body.metadata {
            out.key("metadata")
            out.raw(metadata.utf8)
        }
        if let replyTo = body.replyTo {
            out.member("replyTo", replyTo)
        }
    }

    /// nil for anything that is no message of that room: what comes back from another process is input too.
    public static func decode(_ entry: JSONElement, in room: RoomID) -> Message? {
        guard let sequence = MessageNumbers.message(entry["seq"]?.integer), let roomID = entry["roomId"]?.string,
            RoomID(unchecked: roomID) == room, let draft = draft(entry)
        else { return nil }
        return Message(draft, in: room, sequence: sequence)
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
            read("replyTo", \.string, of: entry, into: &body.replyTo)
        else { return nil }
        return MessageDraft(id: id, body: body, timestamp: Timestamp(milliseconds: timestamp))
    }

    /// False when the member is there and of another kind.
    private static func read(
        _ name: StaticString, _ value: (JSONElement) -> String?, of entry: JSONElement, into field: inout String?
    ) -> Bool {
        guard let element = entry[name] else { return true }
        field = value(element)
        return field != nil
    }
}

extension JSONElement {
    fileprivate var compactObject: String? {
        kind == .object ? String(decoding: serialized, as: UTF8.self) : nil
    }
}

extension JSONWriter {
    /// A message's id as 24 hex digits.
    public mutating func id(_ id: MessageID) {
        plainString { bytes in id.write { bytes.append($1) } }
    }
}
