import Synchronization

/// Waits until `condition` holds; false when it does not within `limit`, which only a failure should reach.
public func eventually(
    within limit: Duration = .seconds(60), _ condition: () async throws -> Bool
) async rethrows -> Bool {
    let deadline = ContinuousClock.now + limit
    while true {
        if try await condition() { return true }
        guard .now < deadline else { return false }
        try? await Task.sleep(for: .milliseconds(5))
    }
}

/// The values that callbacks on other threads have passed so far.
public final class Journal<Entry: Sendable>: Sendable {
    private let kept = Mutex<[Entry]>([])

    public init() {}

    public var entries: [Entry] { kept.withLock { $0 } }
    public func add(_ entry: Entry) { kept.withLock { $0.append(entry) } }
    public func clear() { kept.withLock { $0 = [] } }
}
