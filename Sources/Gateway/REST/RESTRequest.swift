import ChatCore
import ChatProtocol
import ChatDomain
import Engine
import EventLoop
import Identity
import JSON
import WireProtocols

/// Who makes a REST call.
struct Caller: Sendable {
    /// nil for nobody in particular.
    var user: RoomUser?
    /// Whether the service key was shown. With `X-User-Id` beside it, the service acts for that user.
    var isService = false

    /// The caller's name for a log: the user's id, or `service`.
    var logName: String { isService ? "service" : user?.userID.value ?? "nobody" }
}

/// A REST call with its caller known and its parts at hand.
struct RESTRequest: Sendable {
    let method: String
    /// The path's segments, percent-decoded.
    let path: [String]
    let head: HTTPRequestHead
    let body: [UInt8]
    let caller: Caller

    /// - Throws: `unauthorized` when the caller is nobody.
    func requireUser() throws(ChatError) -> RoomUser {
        guard let user = caller.user else { throw .unauthorized }
        return user
    }

    func query(_ name: String) -> String? { head.queryValue(name) }

    /// - Throws: `bad_request` unless the parameter is absent or an integer within `range`.
    func integer(_ name: String, in range: ClosedRange<Int64>) throws(ChatError) -> Int64? {
        guard let text = query(name) else { return nil }
        guard let value = Int64(text), range.contains(value) else {
            throw .badRequest("\(name) must be an integer from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    func roomID(at index: Int) throws(ChatError) -> RoomID { try RoomID(validating: path[index], field: "roomId") }
    func userID(at index: Int) throws(ChatError) -> UserID { try UserID(validating: path[index], field: "userId") }

    /// Parses the body as a JSON object and lets `read` take its fields.
    func fields<R>(
        limits: CommandLimits, _ read: (CommandFields) throws(ChatError) -> R
    ) throws(ChatError) -> R {
        if let type = head.headers["Content-Type"], !type.lowercased().hasPrefix("application/json") {
            throw ChatError(.unsupportedMediaType, "the body must be application/json")
        }
        let parser = JSONParser()
        let result: Result<R, ChatError> = body.withUnsafeBytes { bytes in
            Result { () throws(ChatError) in
                let root: JSONElement
                do throws(JSONError) { root = try parser.parseMending(bytes) } catch {
                    throw ChatError(.badRequest, error.inBody)
                }
                guard root.kind == .object else { throw ChatError(.badRequest, "the body must be a JSON object") }
                return try read(try CommandFields(root, limits: limits))
            }
        }
        return try result.get()
    }
}

extension JSONError {
    fileprivate var inBody: String {
        switch self {
        case .malformed: "the body is not JSON"
        case .invalidUTF8: "the body is not UTF-8"
        case .tooDeep: "the body's JSON is nested too deep"
        case .tooBig: "the body is too big"
        }
    }
}

/// Finds out who calls.
struct CallerResolver {
    let gateway: GatewayContext

    /// - Throws: `unauthorized` for a bad token or key, `forbidden` for a claim against the token, `rate_limited` where too
    ///   many wrong keys came from the address.
    func resolve(_ head: HTTPRequestHead, from address: IPAddress, now: Now) throws(ChatError) -> Caller {
        let credentials = try Self.credentials(head)
        if let key = head.headers["X-Service-Key"] {
            try gateway.check(serviceKey: key, from: address, at: now.monotonic)
            let user = credentials.userID.map {
                RoomUser(userID: $0, username: credentials.username ?? $0.value)
            }
            return Caller(user: user, isService: true)
        }
        guard credentials.token != nil || credentials.userID != nil else { return Caller() }
        let identity = try gateway.services.authentication.identify(
            token: credentials.token, claimedUserID: credentials.userID, claimedUsername: credentials.username,
            now: now.wall)
        return Caller(user: RoomUser(userID: identity.userID, username: identity.username))
    }

    /// What a request says of its sender: a token by header, query or sub-protocol, a claim by header or query.
    static func credentials(_ head: HTTPRequestHead) throws(ChatError) -> Credentials {
        let claimed = head.headers["X-User-Id"] ?? head.queryValue("userId")
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
