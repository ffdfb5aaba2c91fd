import ChatDomain
import Synchronization

/// What waits for answers of instances, by ticket. From any thread.
final class InstanceWaits<Answer: Sendable>: Sendable {
    private struct Wait {
        var missing: Set<InstanceID>
        var answers: [InstanceID: Answer] = [:]
        var continuation: CheckedContinuation<Void, Never>?
    }

    private struct State {
        var last: UInt64 = 0
        var waits: [UInt64: Wait] = [:]
    }

    private let clock: any ChatClock
    private let limit: Int
    private let state = Mutex(State())

    /// - Parameter limit: tickets at once.
    init(clock: any ChatClock, limit: Int = .max) {
        self.clock = clock
        self.limit = limit
    }

    /// Begins to wait for answers; nil while too many tickets wait. Each ticket has to be ended.
    func begin(_ instances: Set<InstanceID>) -> UInt64? {
        state.withLock { state in
            guard state.waits.count < limit else { return nil }
            state.last += 1
            state.waits[state.last] = Wait(missing: instances)
            return state.last
        }
    }

    /// - Returns: the answers that came.
    @discardableResult
    func end(_ ticket: UInt64) -> [InstanceID: Answer] {
        state.withLock { $0.waits.removeValue(forKey: ticket)?.answers } ?? [:]
    }

    /// Takes an answer. One that is not waited for is dropped.
    func receivedAnswer(_ answer: Answer, to ticket: UInt64, by instance: InstanceID) {
        resume(ticket) { wait in
            guard wait.missing.remove(instance) != nil else { return false }
            wait.answers[instance] = answer
            return wait.missing.isEmpty
        }
    }

    /// The instances whose answers a ticket waits for; none once it has ended.
    func missing(_ ticket: UInt64) -> Set<InstanceID> { state.withLock { $0.waits[ticket]?.missing ?? [] } }

    /// Waits no more for others than these.
    func keep(_ instances: Set<InstanceID>, for ticket: UInt64) {
        state.withLock { $0.waits[ticket]?.missing.formIntersection(instances) }
    }

    /// Returns once all answers have come, after `limit` at the latest.
    func wait(for ticket: UInt64, upTo limit: Duration) async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                guard state.waits[ticket]?.missing.isEmpty == false else { return true }
                state.waits[ticket]?.continuation = continuation
                return false
            }
            if isOver { return continuation.resume() }
            // Not before there is something to resume, else the wait would not end.
            clock.schedule(after: limit) { [self] in resume(ticket) { _ in true } }
        }
    }

    private func resume(_ ticket: UInt64, when isDue: (inout Wait) -> Bool) {
        let continuation = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard var wait = state.waits[ticket] else { return nil }
            defer { state.waits[ticket] = wait }
            guard isDue(&wait) else { return nil }
            defer { wait.continuation = nil }
            return wait.continuation
        }
        continuation?.resume()
    }
}
