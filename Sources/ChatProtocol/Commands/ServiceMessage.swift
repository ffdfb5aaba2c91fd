import ChatDomain
import JSON

/// A message of another service of the operator's to users, in the name of that service.
package struct ServiceMessage: Sendable {
    /// The sender for services that give no name.
    package static let anonymous = UserID(unchecked: "internal")

    package let sender: UserID
    package let recipients: [UserID]
    package let message: OutgoingMessage

    /// - Parameter service: the owner of the connection; nil where only the message can name it.
    /// - Throws: `bad_request` naming the field at fault.
    package init(_ fields: CommandFields, from service: UserID?) throws(ChatError) {
        guard fields["roomId"] == nil else { throw .badRequest("a service writes to recipientIds, not to a room") }
        var message = try CommandDecoder.outgoingMessage(fields)
        recipients = try fields.identifiers("recipientIds", limit: fields.limits.maximumRecipients)
        let named = fields["metadata"]?["serviceName"]?.string
        if let service {
            sender = service
        } else if let named {
            sender = try UserID(validating: named, field: "metadata.serviceName")
        } else {
            sender = Self.anonymous
        }
        if named == nil { message.metadata = Self.naming(sender, in: message.metadata) }
        self.message = message
    }

    /// The metadata with `serviceName` in front.
    private static func naming(_ service: UserID, in metadata: String?) -> String {
        var out = JSONWriter()
        out.object {
            $0.member("serviceName", service.value)
        }
        let name = String(decoding: out.bytes, as: UTF8.self)
        guard let metadata, metadata != "{}" else { return name }
        return name.dropLast() + "," + metadata.dropFirst()
    }
}
