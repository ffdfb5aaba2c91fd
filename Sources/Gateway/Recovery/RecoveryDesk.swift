import ChatDomain
import Synchronization

/// Brings clients that come back to the sessions they left, also when their old connection is not known to be broken yet.
final class RecoveryDesk: Sendable {
    /// How long a broken-off session waits for its client, in milliseconds.
    static let milliseconds: Int64 = 120_000

    private struct Live {
        let address: SessionAddress
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let store: any RecoveryStore
    private let live = Mutex<[String: Live]>([:])

    init(store: any RecoveryStore) { self.store = store }

    func opened(_ key: String, at address: SessionAddress) { live.withLock { $0[key] = Live(address: address) } }

    /// The session under this key is over; what may be recovered of it is kept.
    func closed(_ key: String, keeping session: RecoverableSession?) {
        if let session { store.keep(session, under: key, for: Self.milliseconds) }
        let waiting = live.withLock { $0.removeValue(forKey: key) }?.waiting ?? []
        for continuation in waiting { continuation.resume() }
    }

    /// The session a client left; nil when it is not known here any more.
    ///
    /// - Parameter end: ends a session that is still open; it will be told to `closed`.
    func take(_ key: String, ending end: @Sendable (SessionAddress) -> Void) async -> RecoverableSession? {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let address = live.withLock { live in
                live[key]?.waiting.append(continuation)
                return live[key]?.address
            }
            if let address { end(address) } else { continuation.resume() }
        }
        return await store.take(key)
    }
}
