import ChatDomain
import JSON

/// The question to a hook, and its answer, as they travel.
enum HookMessages {
    /// Unicode scalars of a reason that the sender gets.
    static let maximumReasonCharacters = 256

    static func body(of question: HookQuestion, at now: Timestamp) -> [UInt8] {
        var out = JSONWriter(reserving: 256 + question.text.utf8.count)
        out.object { out in
            out.member("type", question.edited == nil ? "message.before" : "edit.before")
            out.member("timestamp", now.iso8601)
            out.key("data")
            out.object { $0.write(question) }
        }
        return out.bytes
    }

    /// The hook's decision; nil for an answer that is none.
    ///
    /// - Parameters:
    ///   - body: a JSON object with `action`: `allow`, `refuse` with `reason`, or `replace` with `message`. It may be empty with 204.
    ///   - maximumBytes: the longest text that a client may send.
    static func verdict(status: Int, body: [UInt8], maximumBytes: Int) -> HookVerdict? {
        if status == 204 { return .allow }
        guard status == 200, let answer = try? JSONValue(parsing: body) else { return nil }
        switch answer["action"]?.string {
        case "allow": return .allow
        case "refuse":
            let reason = answer["reason"]?.string ?? ""
            return .refuse(ChatError(.forbidden, reason.isEmpty ? "this message is refused" : shown(reason)))
        case "replace":
            // The rules of a client's own text.
            guard let text = answer["message"]?.string, !text.isEmpty, text.utf8.count <= maximumBytes,
                !text.utf8.contains(0)
            else { return nil }
            return .replace(text)
        default: return nil
        }
    }

    private static func shown(_ reason: String) -> String {
        let cut = ShortText.cut(reason, maximumCharacters: maximumReasonCharacters)
        return ShortText.isFit(cut, maximumCharacters: maximumReasonCharacters) ? cut : "this message is refused"
    }
}

extension JSONWriter {
    fileprivate mutating func write(_ question: HookQuestion) {
        if let room = question.room {
            member("roomId", room.value)
        } else {
            key("recipientIds")
            array(question.recipients) { $0.string($1.value) }
        }
        if let edited = question.edited { member("messageId", edited.description) }
        member("userId", question.author.userID.value)
        member("username", question.author.username)
        member("message", question.text)
        if let kind = question.kind { member("messageType", kind) }
        if let id = question.clientMessageID { member("clientMessageId", id) }
        if let replyTo = question.replyTo { member("replyTo", replyTo) }
        if let metadata = question.metadata {
            key("metadata")
            raw(metadata.utf8)
        }
    }
}
