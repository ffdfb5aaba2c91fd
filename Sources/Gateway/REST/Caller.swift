import ChatCore
import ChatProtocol
import ChatDomain
import EventLoop
import Identity
import WireProtocols

/// The user or service that makes a REST call.
struct Caller: Sendable {
    /// nil for a caller without a name.
    var user: RoomUser?
    /// Whether the request carried the service key. With `X-User-Id` beside it, the service acts for that user.
    var isService = false
    /// Where the request came from, for the audit trail.
    var address: IPAddress?
    /// The account that a service says it runs under, for the audit trail.
    var account: String?

    var actor: RoomActor { RoomActor(user: user?.userID, isService: isService) }

    /// The caller's name for a log: the user's id, `service` or `anonymous`.
    var logName: String { isService ? "service" : user?.userID.value ?? "anonymous" }
}

/// A caller, or the work of finding it out.
enum CallerResolution {
    case known(Caller)
    /// Another server has to be asked. Not on a loop.
    case pending(PendingIdentification)
}

extension Caller {
    init(_ identity: Identity) {
        self.init(user: RoomUser(userID: identity.userID, username: identity.username))
    }
}

/// Finds the caller of a request from its credentials.
struct CallerResolver {
    private static let maximumAccountBytes = 128

    let gateway: GatewayContext

    /// - Throws: `unauthorized` for a bad token or key, `auth_unavailable` where nothing can verify the token now, `forbidden`
    ///   for a claim against the token, `banned` for a user that is banned from the deployment, `rate_limited` where too many
    ///   wrong keys came from the address.
    func resolve(_ head: HTTPRequestHead, from address: IPAddress, now: Now) throws(ChatError) -> CallerResolution {
        let credentials = try Self.credentials(head)
        if let key = head.headers["X-Service-Key"] {
            try gateway.check(serviceKey: key, from: address, at: now.monotonic)
            let user = credentials.userID.map {
                RoomUser(userID: $0, username: credentials.username ?? $0.value)
            }
            return .known(Caller(user: user, isService: true, account: Self.account(head)))
        }
        guard credentials.namesUser else { return .known(Caller()) }
        switch try gateway.services.authentication.identify(credentials, now: now) {
        case .known(let identity):
            return .known(try caller(gateway.services.admit(identity).get(), of: head))
        case .pending(let pending): return .pending(pending)
        }
    }

    /// The caller of a request whose token was verified. An administrator acts as a service where the request asks for it.
    func caller(_ identity: Identity, of head: HTTPRequestHead) -> Caller {
        var caller = Caller(identity)
        if let role = gateway.configuration.adminRole, identity.roles.contains(role) {
            caller.isService = Self.asksForAdministration(head)
        }
        return caller
    }

    /// Whether the caller wants to be answered as an administrator. Such a request names users in its query that it asks about.
    private static func asksForAdministration(_ head: HTTPRequestHead) -> Bool {
        head.headers["X-Admin"]?.lowercased() == "true"
    }

    /// The credentials of a request: a token by header, query or sub-protocol, a claim by header or query.
    ///
    /// - Throws: `bad_request` for an id that is none, and for a token in the query of a request of an administrator, as
    ///   queries end up in logs and histories.
    static func credentials(_ head: HTTPRequestHead) throws(ChatError) -> Credentials {
        let isAdministration = asksForAdministration(head)
        if isAdministration, head.queryValue("token") != nil {
            throw .badRequest("an administrator's token goes into the Authorization field, not into the query")
        }
        let claimed = head.headers["X-User-Id"] ?? (isAdministration ? nil : head.queryValue("userId"))
        let name = head.headers["X-Username"] ?? head.queryValue("username")
        var userID: UserID?
        if let claimed { userID = try UserID(validating: claimed, field: "userId") }
        let username = name.map { ShortText.cut($0, maximumCharacters: CommandDecoder.maximumUsernameCharacters) }
        if let username {
            try ShortText.check(
                username, field: "username", maximumCharacters: CommandDecoder.maximumUsernameCharacters)
        }
        return Credentials(
            token: token(head), userID: userID, username: username,
            userAgent: head.headers["User-Agent"].map { ShortText.cut($0, maximumCharacters: 256) })
    }

    /// The field `From` (RFC 9110 section 10.1.2), which names the person behind a program. nil for a text that is none.
    private static func account(_ head: HTTPRequestHead) -> String? {
        head.headers["From"].flatMap { text in
            let isFit = !text.isEmpty && text.utf8.count <= maximumAccountBytes
            return isFit && text.utf8.allSatisfy { 0x21...0x7E ~= $0 } ? text : nil
        }
    }

    private static func token(_ head: HTTPRequestHead) -> String? {
        if let value = head.headers["Authorization"] {
            let parts = value.split(separator: " ", maxSplits: 1)
            guard parts.count == 2, parts[0].lowercased() == "bearer" else { return value }
            return String(parts[1])
        }
        if let token = head.queryValue("token") { return token }
        let offered = head.headers.listMembers(of: "Sec-WebSocket-Protocol")
        guard let mark = offered.firstIndex(of: "bearer"), offered.indices.contains(mark + 1) else { return nil }
        return offered[mark + 1]
    }
}
