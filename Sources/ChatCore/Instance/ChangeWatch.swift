import ChatDomain
import Synchronization

/// Looks in the store, once a second, for changes that an instance without contact to the others has made. See ADR 19.
package final class ChangeWatch: Sendable {
    /// Between two looks.
    package static let interval: Duration = .seconds(1)

    private let store: any DurableStore
    private let clock: any ChatClock
    /// The number of such changes; nil while it was never read.
    private let known = Mutex<Int64?>(nil)

    package init(store: any DurableStore, clock: any ChatClock) {
        self.store = store
        self.clock = clock
    }

    /// Reads the number, then looks for another one from time to time.
    ///
    /// - Parameter missed: called with the time until which changes were missed.
    package func start(_ missed: @escaping @Sendable (Moment) -> Void) async {
        _ = await findsAnother()
        lookLater(missed)
    }

    private func lookLater(_ missed: @escaping @Sendable (Moment) -> Void) {
        clock.schedule(after: Self.interval) { [weak self] in
            guard let self else { return }
            Task {
                if await self.findsAnother() { missed(self.clock.now.monotonic) }
                self.lookLater(missed)
            }
        }
    }

    /// Whether the store has another number than before. Where it could not be read before, it may have changed since.
    private func findsAnother() async -> Bool {
        guard let count = try? await store.unannouncedChanges() else { return false }
        return known.withLock { known in
            defer { known = count }
            return known != count
        }
    }
}
