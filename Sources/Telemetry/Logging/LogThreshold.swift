import Synchronization

/// The level that the copies of one logger share. Any thread may read and set it.
final class LogThreshold: Sendable {
    private let stored: Atomic<Int>

    init(_ level: LogLevel) { stored = Atomic(level.rawValue) }

    var level: LogLevel {
        get { LogLevel(rawValue: stored.load(ordering: .relaxed)) ?? .error }
        set { stored.store(newValue.rawValue, ordering: .relaxed) }
    }
}
