import ChatDomain
import JSON

/// The event `message.sent` as its consumers read it. It depends only on the message and its recipients, so that a repeat
/// can differ in `receiverOnline` only.
enum MessageEvent {
    static let type = "message.sent"
    private static let maximumIDBytes = 255

    /// - Parameter index: the recipient's place among the message's recipients; 0 for the event that all share.
    static func make(_ addressed: AddressedMessage, index: Int, mode: EventMode, tag: UInt64) -> BrokerEvent {
        let message = addressed.message
        let recipient = mode == .recipient ? addressed.recipients[index] : nil
        return BrokerEvent(
            tag: tag, messageID: recipient.map { messageID(message.id, $0) } ?? message.id.description, type: type,
            timestampSeconds: UInt64(max(0, message.timestamp.milliseconds / 1000)),
            traceparent: addressed.traceparent, body: body(addressed, recipient: recipient))
    }

    /// `<messageId>:<receiverId>`. When that is longer than AMQP's 255 bytes, the receiver's id is cut between two Unicode
    /// scalars, and its hash replaces the rest.
    static func messageID(_ message: MessageID, _ receiver: UserID) -> String {
        let whole = "\(message):\(receiver)"
        guard whole.utf8.count > maximumIDBytes else { return whole }
        let hash = "~" + hexadecimal(fnv1a(receiver.value))
        var head = whole.unicodeScalars
        while head.reduce(0, { $0 + UTF8.width($1) }) + hash.utf8.count > maximumIDBytes { head.removeLast() }
        return String(head) + hash
    }

    private static func body(_ addressed: AddressedMessage, recipient: UserID?) -> [UInt8] {
        let message = addressed.message
        var out = JSONWriter(reserving: 320 + message.body.text.utf8.count)
        out.object { out in
            out.member("eventType", type)
            out.member("timestamp", message.timestamp.iso8601)
            out.key("data")
            out.object { out in
                out.member("messageId", message.id.description)
                out.member("roomId", message.roomID.value)
                out.member("senderId", message.body.author.value)
                writeReceivers(addressed, recipient, into: &out)
                out.member("message", message.body.text)
                out.member("timestamp", message.timestamp.milliseconds)
                out.member("seq", message.sequence)
                out.member("messageType", message.body.kind)
                out.member("username", message.body.username)
            }
        }
        return out.bytes
    }

    private static func writeReceivers(
        _ addressed: AddressedMessage, _ recipient: UserID?, into out: inout JSONWriter
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
