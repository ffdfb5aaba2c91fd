import Synchronization

/// The values that callbacks on other threads have brought so far, in order.
public final class CallbackLog<Entry: Sendable>: Sendable {
    private let kept = Mutex<[Entry]>([])

    public init() {}

    public var entries: [Entry] { kept.withLock { $0 } }
    public func add(_ entry: Entry) { kept.withLock { $0.append(entry) } }
    public func clear() { kept.withLock { $0 = [] } }
}
