import CMongoc
import ChatDomain

/// Why a command failed, as far as it matters to the sender.
enum MongoError: Error, Hashable {
    /// The command changed nothing, so it may be sent again: no server got it, or it only reads.
    case noEffect(reason: String)
    /// There was no answer, or the answer does not say whether the command took effect.
    case unknown(reason: String)
    /// The server refused it.
    case refused(code: Int, reason: String)

    static let duplicateKey = 11_000

    init(_ error: bson_error_t) {
        let reason = "MongoDB \(error.domain)/\(error.code): \(Self.message(error))"
        switch mongoc_error_domain_t(rawValue: error.domain) {
        case MONGOC_ERROR_SERVER_SELECTION, MONGOC_ERROR_CLIENT: self = .noEffect(reason: reason)
        case MONGOC_ERROR_STREAM where Self.beforeSending.contains(error.code): self = .noEffect(reason: reason)
        case MONGOC_ERROR_SERVER, MONGOC_ERROR_QUERY: self.init(code: Int(error.code), reason: reason)
        default: self = .unknown(reason: reason)
        }
    }

    /// The host name was not found, or the connection was refused.
    private static let beforeSending: Set<UInt32> = [
        MONGOC_ERROR_STREAM_NAME_RESOLUTION.rawValue, MONGOC_ERROR_STREAM_CONNECT.rawValue,
    ]

    /// - Parameter code: the server's.
    init(code: Int, reason: String) {
        self = Self.endsPrimary.contains(code) ? .unknown(reason: reason) : .refused(code: code, reason: reason)
    }

    /// The error of one document in the reply of a command that writes.
    init(writeError: BSONDocument) {
        self.init(
            code: writeError.errorCode,
            reason: "MongoDB \(writeError.errorCode): \(writeError["errmsg"]?.text ?? "no reason given")")
    }

    /// A server received the command and refused it.
    var isAnswer: Bool { if case .refused = self { true } else { false } }

    var isUnknown: Bool { if case .unknown = self { true } else { false } }

    /// The error of a command that only reads.
    var ofRead: Self { if case .unknown(let reason) = self { .noEffect(reason: reason) } else { self } }

    /// Shutdown, step-down, interruption, a shard without a primary, or a write concern that was not met in time: the write may
    /// still take effect.
    private static let endsPrimary: Set<Int> = [
        6, 7, 50, 64, 89, 91, 100, 133, 134, 189, 202, 262, 317, 9001, 10_058, 10_107, 11_600, 11_601, 11_602, 13_388,
        13_435, 13_436,
    ]

    static func message(_ error: bson_error_t) -> String {
        withUnsafeBytes(of: error.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    /// For commands that may be sent again.
    var asStoreError: StoreError {
        switch self {
        case .noEffect(let reason), .unknown(let reason): .unavailable(reason: reason)
        case .refused(let code, let reason):
            Self.aboutData.contains(code) ? .rejected(reason: reason) : .unavailable(reason: reason)
        }
    }

    /// Bad value, type mismatch, failed to parse, failed validation, too large.
    static let aboutData: Set<Int> = [2, 9, 14, 52, 57, 121, 10_334, 17_280, 17_419, 17_420]
}
