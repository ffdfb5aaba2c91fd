/// Why a request is refused: the contract's code, a sentence for the developer of the client, and whether to try again.
public struct ChatError: Error, Hashable, Sendable {
    public enum Code: String, Sendable, CaseIterable {
        case authUnavailable = "auth_unavailable"
        case badFrame = "bad_frame"
        case badRequest = "bad_request"
        case banned
        case conflict
        case forbidden
        case methodNotAllowed = "method_not_allowed"
        case muted
        case notFound = "not_found"
        case notJoined = "not_joined"
        case overloaded
        case payloadTooLarge = "payload_too_large"
        case replaced
        case rateLimited = "rate_limited"
        case storageUnavailable = "storage_unavailable"
        case unauthenticated
        case unauthorized
        case unknownEvent = "unknown_event"
        case unsupportedMediaType = "unsupported_media_type"
    }

    public var code: Code
    public var message: String
    /// How long the sender should wait before a retry, where the server knows.
    public var retryAfter: Duration?

    public init(_ code: Code, _ message: String, retryAfter: Duration? = nil) {
        self.code = code
        self.message = message
        self.retryAfter = retryAfter
    }

    public static func badRequest(_ message: String) -> Self { .init(.badRequest, message) }
    public static let notJoined = Self(.notJoined, "join the room first")
    public static let unauthenticated = Self(.unauthenticated, "authenticate first")
    /// Every failure of a token reads alike, so that probing teaches nothing.
    public static let unauthorized = Self(.unauthorized, "the token is missing, invalid or expired")
    /// No key at hand decides about the token, and the server that would is away.
    public static let authUnavailable = Self(
        .authUnavailable, "the token cannot be verified now; try again", retryAfter: .seconds(2))
    public static let storageUnavailable = Self(.storageUnavailable, "the store cannot take this now; try again")
    public static let roomOverloaded = Self(.overloaded, "too much waits for this room; try again")
    public static let noSuchReply = Self.badRequest("replyTo must name a message of this room")
    /// A message of another room and one that does not exist answer alike.
    public static let messageUnavailable = Self(.notFound, "the room has no such message")
    /// A room that may not be entered and one that does not exist answer alike.
    public static let roomUnavailable = Self(.forbidden, "this room does not exist or is not open to you")
}

extension ChatError.Code {
    /// Whether the same request may succeed later, unchanged.
    public var isRetryable: Bool {
        switch self {
        case .authUnavailable, .overloaded, .rateLimited, .storageUnavailable: true
        default: false
        }
    }

    /// The HTTP status a refused REST call carries.
    public var httpStatus: Int {
        switch self {
        case .badFrame, .badRequest, .unknownEvent: 400
        case .unauthenticated, .unauthorized: 401
        case .banned, .forbidden, .muted, .notJoined, .replaced: 403
        case .notFound: 404
        case .methodNotAllowed: 405
        case .conflict: 409
        case .payloadTooLarge: 413
        case .unsupportedMediaType: 415
        case .rateLimited: 429
        case .authUnavailable, .overloaded, .storageUnavailable: 503
        }
    }
}
