import ChatDomain
import JSON
import Synchronization

/// The condition of a dependency at a moment. The reasons are for operators and hold no credentials.
public enum DependencyCondition: Hashable, Sendable {
    case up
    /// It is there and does not do all it has to.
    case degraded(reason: String)
    case down(reason: String)

    fileprivate var name: String {
        switch self {
        case .up: "up"
        case .degraded: "degraded"
        case .down: "down"
        }
    }

    fileprivate var reason: String? {
        switch self {
        case .up: nil
        case .degraded(let reason), .down(let reason): reason
        }
    }
}

/// The condition of a dependency, and since when it holds.
public struct DependencyState: Sendable {
    /// Its name in `/ready`, unique in the instance.
    public var name: String
    /// Its condition when it was probed last.
    public var condition: DependencyCondition
    /// Whether the instance can serve at all without it.
    public var isRequired: Bool
    /// Since when it is up, degraded or down.
    public var since: Timestamp
    /// The reason of its last failure, for operators; without credentials.
    public var lastError: String?

    /// - Parameter lastError: without credentials; nil for a dependency that has not failed.
    public init(
        name: String, condition: DependencyCondition, isRequired: Bool, since: Timestamp, lastError: String? = nil
    ) {
        self.name = name
        self.condition = condition
        self.isRequired = isRequired
        self.since = since
        self.lastError = lastError
    }

    /// Whether it does all it has to.
    public var isUp: Bool { condition == .up }

    /// Whether the instance cannot serve for it.
    public var isFatal: Bool { if case .down = condition { isRequired } else { false } }

    package func write(into out: inout JSONWriter) {
        out.member("state", condition.name)
        out.member("since", since.iso8601)
        out.member("lastError", lastError)
    }
}

/// Probes the dependencies, and remembers since when each is in its condition.
public final class Dependencies: Sendable {
    /// Finds out the condition; `/ready` waits for it.
    public typealias Probe = @Sendable () async -> DependencyCondition

    private struct Entry {
        let probe: Probe
        var state: DependencyState
    }

    private let entries = Mutex<[Entry]>([])
    private let clock: @Sendable () -> Timestamp

    /// - Parameter clock: the wall clock, for `since`.
    public init(clock: @escaping @Sendable () -> Timestamp) { self.clock = clock }

    /// Adds a dependency, which counts as up until it is probed.
    public func add(_ name: String, isRequired: Bool, probe: @escaping Probe) {
        let state = DependencyState(name: name, condition: .up, isRequired: isRequired, since: clock())
        entries.withLock { $0.append(Entry(probe: probe, state: state)) }
    }

    package func report() async -> [DependencyState] {
        var report: [DependencyState] = []
        let probes = entries.withLock { $0.map(\.probe) }
        for index in probes.indices {
            let condition = await probes[index]()
            report.append(note(index, condition))
        }
        return report
    }

    private func note(_ index: Int, _ condition: DependencyCondition) -> DependencyState {
        let now = clock()
        return entries.withLock { entries in
            if entries[index].state.condition.name != condition.name { entries[index].state.since = now }
            entries[index].state.condition = condition
            if let reason = condition.reason { entries[index].state.lastError = reason }
            return entries[index].state
        }
    }
}
