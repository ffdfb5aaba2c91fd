import EventLoop

/// Lets loop code wait for asynchronous work: the work runs elsewhere, its continuation on the loop.
final class Runner {
    private let finish: @Sendable (_ ticket: UInt64, _ value: any Sendable) -> Void
    private var continuations: [UInt64: (any Sendable) -> Void] = [:]
    private var lastTicket: UInt64 = 0

    /// - Parameter finish: called from anywhere; must call `finished` on the loop.
    init(finish: @escaping @Sendable (_ ticket: UInt64, _ value: any Sendable) -> Void) { self.finish = finish }

    /// The ticket under which `finished` ends the wait.
    @discardableResult
    func run<Value: Sendable>(
        _ operation: @escaping @Sendable () async -> Value, then: @escaping (Value) -> Void
    ) -> UInt64 {
        lastTicket += 1
        continuations[lastTicket] = { value in
            if let value = value as? Value { then(value) }
        }
        Task { [finish, ticket = lastTicket] in finish(ticket, await operation()) }
        return lastTicket
    }

    /// Goes on with what came first; nobody waits for the rest.
    func finished(_ ticket: UInt64, _ value: any Sendable) { continuations.removeValue(forKey: ticket)?(value) }
}
