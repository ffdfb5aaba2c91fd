import ChatDomain
import JSON

/// Events about the connection and its user.
extension ClientEvent {
    static let session: [ClientEvent] = [
        ClientEvent(
            "authenticate",
            fields: [.optional("token", .text), .optional("userId", .id), .optional("username", .text)],
            dataNote: "`{token}` or `{userId, username}`",
            effect: "`authenticated {userId, username, socketId, expiresAt?}`; raw connections get `welcome` too",
            decode: { (input) throws(ChatError) in try authenticate(input.fields()) }),
        ClientEvent(
            "identify", fields: [.required("username", .text)],
            effect: "a display name, where the token gave none",
            decode: { (input) throws(ChatError) in try identify(input.fields()) }),
        ClientEvent(
            "user_activity",
            effect:
                "a sign of life: when the user was last seen moves on every instance, at most once a second",
            decode: { (_) throws(ChatError) in .userActivity }),
        ClientEvent(
            "ping", dataNote: "anything",
            effect: "`pong` with the same data; a reply has the fields of an object too",
            decode: { (input) throws(ChatError) in .ping(echo(input)) }),
    ]

    private static func authenticate(_ fields: CommandFields) throws(ChatError) -> ClientCommand {
        let credentials = Credentials(
            token: try fields.optionalText("token", maximumBytes: CommandDecoder.maximumTokenBytes),
            userID: try fields.optionalIdentifier("userId"),
            username: try fields.optionalText(
                "username", maximumCharacters: CommandDecoder.maximumUsernameCharacters))
        guard credentials.token != nil || credentials.userID != nil else {
            throw .badRequest("token or userId is missing")
        }
        return .authenticate(credentials)
    }

    private static func identify(_ fields: CommandFields) throws(ChatError) -> ClientCommand {
        let maximum = CommandDecoder.maximumUsernameCharacters
        guard let name = try fields.optionalText("username", maximumCharacters: maximum), !name.isEmpty
        else { throw .badRequest("username is missing") }
        return .identify(username: name)
    }

    private static func echo(_ input: Input) -> [UInt8] {
        guard let data = input.data else { return Array("null".utf8) }
        guard input.isFlat else { return data.serialized }
        return EventJSON.object { out in
            data.forEachMember { name, value in
                guard name != "type", name != "id" else { return true }
                out.key(escaping: name)
                out.raw(value.serialized)
                return true
            }
        }
    }
}
