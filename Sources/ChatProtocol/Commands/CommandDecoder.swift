import ChatDomain
import JSON

/// Turns an event's name and data into a command. One table for every framing and for REST bodies.
package enum CommandDecoder {
    package static let maximumUsernameCharacters = 128
    package static let maximumTokenBytes = 8192

    /// - Parameter isFlat: whether `data` is a whole frame, whose own members stand among the event's.
    /// - Throws: `unknown_event`, or `bad_request` naming the field at fault.
    package static func decode(
        event: String, data: JSONElement?, isFlat: Bool, limits: CommandLimits
    ) throws(ChatError) -> ClientCommand {
        switch event {
        case "send_message": try sendMessage(CommandFields(data, limits: limits))
        case "typing": try typing(CommandFields(data, limits: limits))
        case "mark_read": try markRead(CommandFields(data, limits: limits))
        case "ping": .ping(echo(data, isFlat: isFlat))
        case "user_activity": .userActivity
        case "join_room": try joinRoom(CommandFields(data, limits: limits))
        case "leave_room": .leaveRoom(try CommandFields(data, limits: limits).identifier("roomId"))
        case "authenticate": try authenticate(CommandFields(data, limits: limits))
        case "identify": try identify(CommandFields(data, limits: limits))
        default:
            if let command = try presence(event: event, data: data, limits: limits) {
                .presence(command)
            } else {
                throw .init(.unknownEvent, "there is no event \"\(ShortText.cut(event, maximumCharacters: 64))\"")
            }
        }
    }

    private static func echo(_ data: JSONElement?, isFlat: Bool) -> [UInt8] {
        guard let data else { return Array("null".utf8) }
        guard isFlat else { return data.serialized }
        return EventJSON.object { out in
            data.forEachMember { name, value in
                guard name != "type", name != "id" else { return true }
                out.key(escaping: name)
                out.raw(value.serialized)
                return true
            }
        }
    }

    private static func authenticate(_ fields: CommandFields) throws(ChatError) -> ClientCommand {
        let credentials = Credentials(
            token: try fields.optionalText("token", maximumBytes: maximumTokenBytes),
            userID: try fields.optionalIdentifier("userId"),
            username: try fields.optionalText("username", maximumCharacters: maximumUsernameCharacters))
        guard credentials.token != nil || credentials.userID != nil else {
            throw .badRequest("token or userId is missing")
        }
        return .authenticate(credentials)
    }

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
        let message = try outgoingMessage(fields)
        guard hasRecipients else { return .sendMessage(try fields.identifier("roomId"), message) }
        return .sendDirect(try fields.identifiers("recipientIds", limit: fields.limits.maximumRecipients), message)
    }

    /// The fields of a message, as `send_message` and the REST body share them.
    package static func outgoingMessage(_ fields: CommandFields) throws(ChatError) -> OutgoingMessage {
        let text = try fields.text("message", maximumBytes: fields.limits.maximumMessageBytes)
        guard !text.isEmpty else { throw .badRequest("message must not be empty") }
        let kind = try fields.optionalText("messageType", maximumCharacters: 32)
        guard kind != "" else { throw .badRequest("messageType must not be empty") }
        let clientID = try fields.optionalIDText("clientMessageId")
        guard clientID != "" else { throw .badRequest("clientMessageId must not be empty") }
        return OutgoingMessage(
            text: text, kind: kind ?? "text", clientMessageID: clientID,
            metadata: try fields.optionalObject("metadata", maximumBytes: fields.limits.maximumMessageBytes),
            replyTo: try fields.optionalIDText("replyTo"))
    }

    private static func typing(_ fields: CommandFields) throws(ChatError) -> ClientCommand {
        .typing(try fields.identifier("roomId"), isTyping: try fields.bool("isTyping"))
    }

    private static func markRead(_ fields: CommandFields) throws(ChatError) -> ClientCommand {
        .markRead(try fields.identifier("roomId"), try fields.integer("seq", in: 0...Int64.max))
    }

    private static func identify(_ fields: CommandFields) throws(ChatError) -> ClientCommand {
        guard let name = try fields.optionalText("username", maximumCharacters: maximumUsernameCharacters),
            !name.isEmpty
        else { throw .badRequest("username is missing") }
        return .identify(username: name)
    }
}
