import ChatDomain

/// What a call came to before anything was waited for: its result, or the rest of the work.
enum Prompt<Value: Sendable>: Sendable {
    case now(Value)
    case later(@Sendable () async throws(ChatError) -> Value)

    func value() async throws(ChatError) -> Value {
        switch self {
        case .now(let value): value
        case .later(let rest): try await rest()
        }
    }
}
