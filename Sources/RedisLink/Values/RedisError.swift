/// Why a command has no answer.
public enum RedisError: Error, Hashable, Sendable {
    /// It was not sent: there is no connection, or too much is under way already. `reason` is for logs.
    case unavailable(reason: String)
    /// It was sent, and the connection broke before the answer: it may or may not have taken effect.
    case interrupted(reason: String)
    /// No answer within the deadline: it may or may not take effect yet.
    case timeout
    /// Redis refused. `code` is its first word (`ERR`, `WRONGTYPE`, `OOM`); `message` may quote the command's arguments.
    case server(code: String, message: String)
}

extension RedisError: CustomStringConvertible {
    /// For logs: without the server's text, which may quote what people wrote.
    public var description: String {
        switch self {
        case .unavailable(let reason): "Redis is not available: \(reason)"
        case .interrupted(let reason): "the connection to Redis broke: \(reason)"
        case .timeout: "Redis did not answer in time"
        case .server(let code, _): "Redis refused with \(code)"
        }
    }
}
