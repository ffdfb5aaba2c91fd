import ChatDomain
import JSON

/// Events that change messages.
extension ClientEvent {
    static let changes: [ClientEvent] = [
        declare(
            "edit_message",
            fields: [
                .required("message", .text), .optional("metadata", .object), .optional("mentions", .ids),
            ],
            effect:
                "answer `{success, messageId, seq, timestamp}`; the room gets `message_edited`. Only the author may; metadata that is not given stays",
            decode: { (fields) throws(ChatError) in .edit(try CommandDecoder.edit(fields)) }),
        declare(
            "delete_message",
            effect: "answer `{success, messageId, seq, timestamp, unchanged?}`; the room gets `message_deleted`",
            decode: { (_) throws(ChatError) in .delete }),
        declare(
            "react", fields: [.required("emoji", .text), .optional("remove", .boolean)],
            effect:
                "answer `{success, messageId, seq, timestamp, count, unchanged?}`; the room gets `message_reaction`",
            decode: { (fields) throws(ChatError) in
                let text = try fields.text("emoji", maximumBytes: Emoji.maximumBytes)
                return .react(try Emoji(validating: text), isRemoved: try fields.optionalBool("remove"))
            }),
        declare(
            "pin_message", fields: [.optional("remove", .boolean)],
            effect:
                "answer `{success, messageId, seq, timestamp, unchanged?}`; the room gets `message_pinned`. Only the room's owner may",
            decode: { (fields) throws(ChatError) in .pin(!(try fields.optionalBool("remove"))) }),
    ]

    private static func declare(
        _ name: String, fields: [Field] = [], effect: String,
        decode: @escaping @Sendable (CommandFields) throws(ChatError) -> ChangeRequest
    ) -> ClientEvent {
        ClientEvent(
            name,
            fields: [.required("roomId", .id), .required("messageId", .id)] + fields
                + [.optional("clientMessageId", .id)],
            effect: effect,
            decode: { (input) throws(ChatError) in
                let fields = try input.fields()
                let request = MessageChangeRequest(
                    messageID: try fields.messageID("messageId"), try decode(fields),
                    clientMessageID: try CommandDecoder.clientMessageID(fields))
                return .changeMessage(try fields.identifier("roomId"), request)
            })
    }
}
