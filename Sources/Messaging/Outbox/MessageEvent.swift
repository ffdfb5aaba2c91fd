import ChatDomain
import JSON

/// The events `message.sent`, `message.edited`, `message.deleted` and `message.reaction` as their consumers read them. They depend
/// only on the entry and its recipients, so that a repeat can differ in `receiverOnline` only.
enum MessageEvent {
    private static let maximumIDBytes = 255

    /// Nil for an entry without events.
    static func type(of entry: RoomLogEntry) -> String? {
        switch entry {
        case .message: "message.sent"
        case .change(let change):
            switch change.kind {
            case .edited: "message.edited"
            case .deleted: "message.deleted"
            case .reaction: "message.reaction"
            case .pinned: nil
            }
        }
    }

    /// - Parameter index: the recipient's place among the entry's recipients; 0 for the event that all share.
    static func make(_ addressed: AddressedEntry, index: Int, mode: EventMode, tag: UInt64) -> BrokerEvent {
        let entry = addressed.entry
        let recipient = mode == .recipient ? addressed.recipients[index] : nil
        return BrokerEvent(
            tag: tag, messageID: recipient.map { messageID(entry.id, $0) } ?? entry.id.description,
            type: type(of: entry) ?? "", queue: entry.change == nil ? .messages : .changes,
            timestampSeconds: UInt64(max(0, entry.timestamp.milliseconds / 1000)),
            traceparent: addressed.traceparent, body: body(addressed, recipient: recipient))
    }

    /// `<messageId>:<receiverId>`, for a change with the id of the change. When that is longer than AMQP's 255 bytes, the receiver's id
    /// is cut between two Unicode scalars, and its hash replaces the rest.
    static func messageID(_ message: MessageID, _ receiver: UserID) -> String {
        let whole = "\(message):\(receiver)"
        guard whole.utf8.count > maximumIDBytes else { return whole }
        let hash = "~" + hexadecimal(fnv1a(receiver.value))
        var head = whole.unicodeScalars
        while head.reduce(0, { $0 + UTF8.width($1) }) + hash.utf8.count > maximumIDBytes { head.removeLast() }
        return String(head) + hash
    }

    private static func body(_ addressed: AddressedEntry, recipient: UserID?) -> [UInt8] {
        let entry = addressed.entry
        var out = JSONWriter(reserving: 320 + entry.approximateBytes)
        out.object { out in
            out.member("eventType", type(of: entry) ?? "")
            out.member("timestamp", entry.timestamp.iso8601)
            out.key("data")
            out.object { out in
                switch entry {
                case .message(let message): write(message, addressed, recipient, into: &out)
                case .change(let change): write(change, addressed, recipient, into: &out)
                }
            }
        }
        return out.bytes
    }

    private static func write(
        _ message: Message, _ addressed: AddressedEntry, _ recipient: UserID?, into out: inout JSONWriter
    ) {
        out.member("messageId", message.id.description)
        out.member("roomId", message.roomID.value)
        out.member("senderId", message.body.author.value)
        writeReceivers(addressed, recipient, into: &out)
        out.member("message", message.body.text)
        out.member("timestamp", message.timestamp.milliseconds)
        out.member("seq", message.sequence)
        out.member("messageType", message.body.kind)
        out.member("username", message.body.username)
        write(message.body.mentions, recipient, into: &out)
        if let answered = message.body.replyTo { out.member("replyTo", answered) }
    }

    private static func write(
        _ change: MessageChange, _ addressed: AddressedEntry, _ recipient: UserID?, into out: inout JSONWriter
    ) {
        out.member("messageId", change.messageID.description)
        out.member("roomId", change.roomID.value)
        out.member("senderId", change.user.userID.value)
        writeReceivers(addressed, recipient, into: &out)
        out.member("timestamp", change.timestamp.milliseconds)
        out.member("seq", change.sequence)
        out.member("username", change.user.username)
        switch change.kind {
        case .edited(let edit):
            out.member("message", edit.text)
            write(edit.mentions, recipient, into: &out)
        case .reaction(let reaction):
            out.member("emoji", reaction.emoji.value)
            out.member("removed", reaction.isRemoved)
            out.member("count", reaction.count)
        case .deleted, .pinned: break
        }
    }

    private static func write(_ mentions: [UserID], _ recipient: UserID?, into out: inout JSONWriter) {
        if !mentions.isEmpty {
            out.key("mentions")
            out.array(mentions) { $0.string($1.value) }
        }
        if let recipient { out.member("mentioned", mentions.contains(recipient)) }
    }

    private static func writeReceivers(
        _ addressed: AddressedEntry, _ recipient: UserID?, into out: inout JSONWriter
    ) {
        if let recipient {
            out.member("receiverId", recipient.value)
            out.member("receiverOnline", addressed.online.contains(recipient))
        } else {
            out.key("receiverIds")
            out.array(addressed.recipients) { $0.string($1.value) }
            out.key("receiversOnline")
            out.array(addressed.recipients.filter(addressed.online.contains)) { $0.string($1.value) }
        }
    }

    /// FNV-1a, 64 bits: enough to distinguish receivers whose ids have the same beginning.
    private static func fnv1a(_ text: String) -> UInt64 {
        text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }

    private static func hexadecimal(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
