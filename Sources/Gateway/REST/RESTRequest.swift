import ChatProtocol
import ChatDomain
import JSON
import WireProtocols

/// A REST call whose route and caller are known.
struct RESTRequest: Sendable {
    private let route: Route
    private let pathParameters: [HTTPField]
    private let head: HTTPRequestHead
    let body: [UInt8]
    private let unverifiedCaller: Caller
    private let openness: RouteAccess.Openness

    /// - Throws: `bad_request` for a part of the path that is no id.
    init(
        _ route: Route, _ pathParameters: [HTTPField], head: HTTPRequestHead, body: [UInt8], by caller: Caller,
        _ openness: RouteAccess.Openness
    ) throws(ChatError) {
        self.route = route
        self.pathParameters = pathParameters
        self.head = head
        self.body = body
        unverifiedCaller = caller
        self.openness = openness
        for parameter in pathParameters.reversed() {
            _ = try UserID(validating: parameter.value, field: parameter.name)
        }
    }

    /// The caller, checked against the access that the route gives.
    ///
    /// - Throws: `unauthorized` for a caller that the route does not answer.
    func caller() throws(ChatError) -> Caller {
        try route.access.check(unverifiedCaller, openness)
        return unverifiedCaller
    }

    /// - Throws: `unauthorized` when the caller has no name.
    func user() throws(ChatError) -> RoomUser {
        guard let user = try caller().user else { throw .unauthorized }
        return user
    }

    /// A parameter of the query; the route has to declare it, so that the documents name it.
    func query(_ name: String) -> String? {
        assert(route.reads(name, from: .query), "\(name) is not declared")
        return head.queryValue(name)
    }

    /// A header field; the route has to declare it.
    func header(_ name: String) -> String? {
        assert(route.reads(name, from: .header), "\(name) is not declared")
        return head.headers[name]
    }

    /// - Throws: `bad_request` unless the parameter is absent or an integer within `range`.
    func integer(_ name: String, in range: ClosedRange<Int64>) throws(ChatError) -> Int64? {
        guard let text = query(name) else { return nil }
        guard let value = Int64(text), range.contains(value) else {
            throw .badRequest("\(name) must be an integer from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    /// The room that the path names.
    var roomID: RoomID { RoomID(unchecked: pathParameter("roomId")) }
    /// The user that the path names.
    var userID: UserID { UserID(unchecked: pathParameter("userId")) }
    /// The user that the path names as another's friend.
    var friendID: UserID { UserID(unchecked: pathParameter("friendId")) }

    /// The user that the path names as blocked by another.
    var blockedID: UserID { UserID(unchecked: pathParameter("blockedId")) }
    /// The file that the path names; nil for a text that is no file's id.
    var fileID: FileID? { FileID(pathParameter("fileId")) }

    /// Whether the answer's body is left out.
    var isHead: Bool { head.method == "HEAD" }

    /// A part of the path; nil where the route has none of this name.
    func optionalPathParameter(_ name: String) -> String? { pathParameters.first { $0.name == name }?.value }

    func pathParameter(_ name: String) -> String {
        let value = optionalPathParameter(name)
        assert(value != nil, "the path has no \(name)")
        return value ?? ""
    }

    /// The `Idempotency-Key` field, which stands for `clientMessageId`.
    ///
    /// - Parameter clientID: the member of the body, which may say the same.
    func idempotencyKey(besides clientID: String?) throws(ChatError) -> String? {
        guard let key = header("Idempotency-Key") else { return clientID }
        guard !key.isEmpty else { throw .badRequest("Idempotency-Key must not be empty") }
        try ShortText.check(
            key, field: "Idempotency-Key", maximumCharacters: MessageRoutes.maximumKeyCharacters)
        guard clientID?.hasSameBytes(as: key) ?? true else {
            throw .badRequest("clientMessageId and Idempotency-Key differ")
        }
        return key
    }

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
