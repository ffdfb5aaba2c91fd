import ChatDomain
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Ends the connection under a call of the library that waits for the broker for too long.
///
/// The library reads with a deadline and writes without one: into a full socket, of a broker that stands still or has
/// stopped reading for an alarm, it would write for ever. A half-written frame leaves nothing to do but to hang up, which
/// wakes the call.
final class CallLimit: Sendable {
    private static let interval: Duration = .milliseconds(100)

    private struct State {
        var socket: Int32?
        var deadline: Int64?
        /// When everything has to be over.
        var end: Int64?
        var hasHungUp = false
    }

    private let state = Mutex(State())
    private let clock: @Sendable () -> Int64

    /// - Parameter clock: milliseconds of a clock that never goes back.
    init(clock: @escaping @Sendable () -> Int64) { self.clock = clock }

    /// Looks after the calls until it is cancelled.
    func watch() async {
        while !Task.isCancelled {
            hangUpWhenLate()
            try? await Task.sleep(for: Self.interval)
        }
    }

    /// The connection that calls go over from here on.
    func begin(_ socket: Int32) {
        state.withLock { state in
            state.socket = socket
            state.hasHungUp = false
        }
    }

    /// To be called before the socket is closed: its number may then be another's.
    func end() { state.withLock { $0.socket = nil } }

    /// Whatever is under way, or begins later, has to be over by then.
    func endEverything(within milliseconds: Int64) { state.withLock { $0.end = clock() + milliseconds } }

    /// Runs one call.
    ///
    /// - Throws: what `body` throws; `.disconnected` with the reason when it took longer than `milliseconds`.
    func call<Value>(
        within milliseconds: Int64, _ body: () throws(BrokerError) -> Value
    ) throws(BrokerError) -> Value {
        state.withLock { $0.deadline = clock() + milliseconds }
        defer { state.withLock { $0.deadline = nil } }
        do throws(BrokerError) { return try body() } catch {
            guard state.withLock({ $0.hasHungUp }) else { throw error }
            throw .disconnected(reason: "the broker took nothing for \(milliseconds) ms")
        }
    }

    private func hangUpWhenLate() {
        let now = clock()
        state.withLock { state in
            guard let socket = state.socket, let deadline = state.deadline,
                min(deadline, state.end ?? .max) <= now, !state.hasHungUp
            else { return }
            state.hasHungUp = true
            _ = shutdown(socket, Int32(SHUT_RDWR))
        }
    }
}
