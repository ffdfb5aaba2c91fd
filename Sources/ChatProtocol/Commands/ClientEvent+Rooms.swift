import ChatDomain
import JSON

/// Events about rooms and messages.
extension ClientEvent {
    static let rooms: [ClientEvent] = [
        ClientEvent(
            "join_room",
            fields: [.required("roomId", .id), .optional("since", .integer), .optional("limit", .integer)],
            effect:
                "`message_history`, with `since` also `message_changes`, `room_users`, `room_state`; the answer holds all of it, `{success, roomId, lastSeq, members, online, messages, changes?, users, readMarks?, resync?}`; others get `user_joined`",
            decode: { (input) throws(ChatError) in try joinRoom(input.fields()) }),
        ClientEvent(
            "leave_room", fields: [.required("roomId", .id)], effect: "others get `user_left`",
            decode: { (input) throws(ChatError) in .leaveRoom(try input.fields().identifier("roomId")) }),
        ClientEvent(
            "send_message",
            fields: [
                .optional("roomId", .id), .optional("recipientIds", .ids), .required("message", .text),
                .optional("messageType", .text), .optional("clientMessageId", .id), .optional("metadata", .object),
                .optional("replyTo", .id), .optional("mentions", .ids),
            ],
            dataNote:
                "`{roomId, message, messageType?, clientMessageId?, metadata?, replyTo?, mentions?}` or `{recipientIds, message, metadata?}`",
            effect:
                "into a room: answer `{success, messageId, seq, timestamp, duplicate?}`; everybody in the room gets `new_message`. Straight to users: `message` to their live sessions, and stored nowhere; answer `{status, recipients: {total, sent, failed}, timestamp}`",
            decode: { (input) throws(ChatError) in try sendMessage(input.fields()) }),
        ClientEvent(
            "typing", fields: [.required("roomId", .id), .required("isTyping", .boolean)],
            effect:
                "others get `user_typing`; ended by the server after 6 s, on that user's message and on disconnect",
            decode: { (input) throws(ChatError) in
                let fields = try input.fields()
                return .typing(try fields.identifier("roomId"), isTyping: try fields.bool("isTyping"))
            }),
        ClientEvent(
            "mark_read", fields: [.required("roomId", .id), .required("seq", .integer)],
            effect:
                "all others in the room, and every other session of the user wherever it is, get `message_read`; never moves backwards; a number that no message has means the newest",
            decode: { (input) throws(ChatError) in
                let fields = try input.fields()
                return .markRead(
                    try fields.identifier("roomId"), try fields.integer("seq", in: 0...Int64.max))
            }),
    ]

    private static func joinRoom(_ fields: CommandFields) throws(ChatError) -> ClientCommand {
        let room: RoomID = try fields.identifier("roomId")
        let since = try fields.optionalInteger("since", in: 0...Int64.max)
        let limit = try fields.optionalInteger("limit", in: 1...Int64(HistoryQuery.limits.upperBound))
        return .joinRoom(room, HistoryRequest(since: since, limit: limit.map(Int.init) ?? HistoryQuery.defaultLimit))
    }

    private static func sendMessage(_ fields: CommandFields) throws(ChatError) -> ClientCommand {
        let hasRecipients = fields["recipientIds"] != nil
        guard (fields["roomId"] != nil) != hasRecipients else {
            throw .badRequest("give either roomId or recipientIds")
        }
        let message = try CommandDecoder.outgoingMessage(fields)
        guard hasRecipients else { return .sendMessage(try fields.identifier("roomId"), message) }
        return .sendDirect(try fields.identifiers("recipientIds", limit: fields.limits.maximumRecipients), message)
    }
}
