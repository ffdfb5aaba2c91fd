import ChatDomain
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Shuts the socket down under a call of the library that waits for the broker for too long.
///
/// The library reads with a deadline but writes without one. A broker that has stopped reading, because of an alarm for
/// example, would block a write for ever. A half-written frame cannot be continued, so the connection ends, which also
/// wakes the call.
final class CallLimit: Sendable {
    private static let checkInterval = Duration.milliseconds(100)

    private struct State {
        var socket: Int32?
        var deadline: Moment?
        /// The deadline of all calls together, set when the broker is stopped.
        var stopDeadline: Moment?
        var hasShutDown = false
    }

    private let state = Mutex(State())
    private let clock: @Sendable () -> Moment

    /// - Parameter clock: never goes back.
    init(clock: @escaping @Sendable () -> Moment) { self.clock = clock }

    /// Checks the calls until the task is cancelled.
    func watch() async {
        while !Task.isCancelled {
            shutDownIfLate()
            try? await Task.sleep(for: Self.checkInterval)
        }
    }

    /// Watches the calls over this socket from now on.
    func begin(_ socket: Int32) {
        state.withLock { state in
            state.socket = socket
            state.hasShutDown = false
        }
    }

    /// Must be called before the socket is closed, because its number may then belong to another socket.
    func end() { state.withLock { $0.socket = nil } }

    /// Limits every call that is running or starts later, all together.
    func endCalls(within limit: Duration) { state.withLock { $0.stopDeadline = clock() + limit } }

    /// Runs one call.
    ///
    /// - Throws: what `body` throws; `.disconnected` with the reason when the call took longer than `limit`.
    func call<Value>(within limit: Duration, _ body: () throws(BrokerError) -> Value) throws(BrokerError) -> Value {
        state.withLock { $0.deadline = clock() + limit }
        defer { state.withLock { $0.deadline = nil } }
        do throws(BrokerError) { return try body() } catch {
            guard state.withLock({ $0.hasShutDown }) else { throw error }
            throw .disconnected(reason: "the broker accepted nothing for \(limit.wholeMilliseconds) ms")
        }
    }

    private func shutDownIfLate() {
        let now = clock()
        state.withLock { state in
            guard let socket = state.socket, let deadline = state.deadline,
                min(deadline, state.stopDeadline ?? deadline) <= now, !state.hasShutDown
            else { return }
            state.hasShutDown = true
            _ = shutdown(socket, Int32(SHUT_RDWR))
        }
    }
}
