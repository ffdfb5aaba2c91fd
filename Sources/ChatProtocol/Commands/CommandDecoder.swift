import ChatDomain
import JSON

/// Turns an event's name and data into a command: one table for every framing.
package enum CommandDecoder {
    package static let maximumUsernameCharacters = 128
    package static let maximumTokenBytes = 8192

    /// Every event that clients may send.
    package static let events = ClientEvent.session + ClientEvent.rooms + ClientEvent.changes + ClientEvent.presence

    /// The events by each of their names, which no two share.
    private static let eventsByName: [String: ClientEvent] = {
        var byName: [String: ClientEvent] = [:]
        for event in events {
            for name in event.names {
                precondition(byName.updateValue(event, forKey: name) == nil, "\(name) is declared twice")
            }
        }
        return byName
    }()

    /// - Parameter isFlat: whether `data` is a whole frame, which holds the event's fields beside its own.
    /// - Throws: `unknown_event`, or `bad_request` naming the field at fault.
    package static func decode(
        event: String, data: JSONElement?, isFlat: Bool, limits: CommandLimits
    ) throws(ChatError) -> ClientCommand {
        guard let declared = eventsByName[event] else {
            throw .init(.unknownEvent, "there is no event \"\(ShortText.cut(event, maximumCharacters: 64))\"")
        }
        return try declared.decode(.init(data: data, isFlat: isFlat, limits: limits))
    }

    /// The fields of a message, as `send_message` and the REST body share them.
    package static func outgoingMessage(_ fields: CommandFields) throws(ChatError) -> OutgoingMessage {
        let text = try text(fields)
        let kind = try fields.optionalText("messageType", maximumCharacters: 32)
        guard kind != "" else { throw .badRequest("messageType must not be empty") }
        var message = OutgoingMessage(
            text: text, kind: kind ?? "text", clientMessageID: try clientMessageID(fields),
            metadata: try metadata(fields), replyTo: try fields.optionalIDText("replyTo"),
            mentions: try mentions(fields))
        message.fileReference = fileReference(fields["metadata"])
        return message
    }

    /// What `metadata.file.fileId` names; empty for a value that is no text, nil for none.
    private static func fileReference(_ metadata: JSONElement?) -> String? {
        guard let id = metadata?["file"]?["fileId"], !id.isNull else { return nil }
        return id.string ?? ""
    }

    /// The new content of a message, as `edit_message` and the REST body share it.
    package static func edit(_ fields: CommandFields) throws(ChatError) -> MessageEdit {
        let text = try text(fields)
        return MessageEdit(
            text: text, metadata: try metadata(fields),
            mentions: Mentions.users(named: try mentions(fields), in: text))
    }

    package static func clientMessageID(_ fields: CommandFields) throws(ChatError) -> String? {
        let clientID = try fields.optionalIDText("clientMessageId")
        guard clientID != "" else { throw .badRequest("clientMessageId must not be empty") }
        return clientID
    }

    private static func text(_ fields: CommandFields) throws(ChatError) -> String {
        let text = try fields.text("message", maximumBytes: fields.limits.maximumMessageBytes)
        guard !text.isEmpty else { throw .badRequest("message must not be empty") }
        return text
    }

    private static func metadata(_ fields: CommandFields) throws(ChatError) -> String? {
        try fields.optionalObject("metadata", maximumBytes: fields.limits.maximumMessageBytes)
    }

    private static func mentions(_ fields: CommandFields) throws(ChatError) -> [UserID] {
        try fields.optionalIdentifiers("mentions", limit: Mentions.limit)
    }
}
