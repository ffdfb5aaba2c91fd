import ChatDomain
import Synchronization

/// Brings clients that come back to the sessions they left, also when their old connection is not known to be broken yet.
package final class SessionRecovery: Sendable {
    /// How long a broken-off session waits for its client.
    package static let window: Duration = .seconds(120)
    /// How long another instance may take to let go of a session that is open there.
    private static let releaseTimeout: Duration = .milliseconds(500)

    private struct State {
        /// Sessions of this instance that could be recovered.
        var open: [RecoveryKey: SessionAddress] = [:]
        /// Callbacks that wait for a session to end, here or on another instance.
        var waiting: [RecoveryKey: [UInt64: @Sendable () -> Void]] = [:]
        var lastTicket: UInt64 = 0

        mutating func wait(for key: RecoveryKey, _ done: @escaping @Sendable () -> Void) -> UInt64 {
            lastTicket += 1
            waiting[key, default: [:]][lastTicket] = done
            return lastTicket
        }

        mutating func cancelWait(_ ticket: UInt64, _ key: RecoveryKey) -> (@Sendable () -> Void)? {
            let done = waiting[key]?.removeValue(forKey: ticket)
            if waiting[key]?.isEmpty == true { waiting[key] = nil }
            return done
        }
    }

    private let store: any RecoveryStore
    private let clock: any ChatClock
    private let state = Mutex(State())

    package init(store: any RecoveryStore, clock: any ChatClock) {
        self.store = store
        self.clock = clock
    }

    package func opened(_ key: RecoveryKey, at address: SessionAddress) { state.withLock { $0.open[key] = address } }

    /// The session under this key is over; what may be recovered of it is kept.
    package func closed(_ key: RecoveryKey, keeping session: RecoverableSession?) {
        if let session { putBack(session, under: key) }
        state.withLock { $0.open[key] = nil }
        released(key)
    }

    /// Keeps a session again whose client disconnected before it was resumed.
    package func putBack(_ session: RecoverableSession, under key: RecoveryKey) {
        store.keep(session, under: key.text, for: Self.window)
    }

    /// The session is over, here or on the instance that was asked for it.
    package func released(_ key: RecoveryKey) {
        let waiting = state.withLock { $0.waiting.removeValue(forKey: key) } ?? [:]
        for done in waiting.values { done() }
    }

    /// Ends a session that is still open on this instance.
    ///
    /// - Parameters:
    ///   - end: ends the session; `closed` follows.
    ///   - done: called once what may be recovered of it is on its way to the store.
    /// - Returns: whether it was open; else nothing follows.
    @discardableResult
    package func release(
        _ key: RecoveryKey, ending end: (SessionAddress) -> Void, done: @escaping @Sendable () -> Void
    ) -> Bool {
        let address = state.withLock { state in
            let address = state.open[key]
            if address != nil { _ = state.wait(for: key, done) }
            return address
        }
        if let address { end(address) }
        return address != nil
    }

    /// The session a client left; nil when it is not known any more.
    ///
    /// - Parameters:
    ///   - end: ends a session that is open on this instance.
    ///   - ask: asks the other instances to end it; they answer by `released`. nil where there are none.
    package func take(
        _ key: RecoveryKey, ending end: @escaping @Sendable (SessionAddress) -> Void,
        asking ask: (@Sendable () -> Void)?
    ) async -> RecoverableSession? {
        let wasHere = await withCheckedContinuation { (continuation: CheckedContinuation<Bool, Never>) in
            let isHere = release(key, ending: end) { continuation.resume(returning: true) }
            if !isHere { continuation.resume(returning: false) }
        }
        if let found = await store.take(key.text) { return found }
        guard !wasHere, let ask else { return nil }
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let ticket = state.withLock { $0.wait(for: key) { continuation.resume() } }
            ask()
            clock.schedule(after: Self.releaseTimeout) { [self] in
                state.withLock { $0.cancelWait(ticket, key) }?()
            }
        }
        return await store.take(key.text)
    }

    /// The user was logged out, and is not to come back by a session that broke off before.
    package func forget(_ user: UserID) { store.forget(user, keptFor: Self.window) }
}
