public import ChatDomain
import JSON
import Synchronization

/// How something this instance depends on stands.
public struct DependencyState: Sendable {
    public var name: String
    public var isUp: Bool
    /// Whether the instance can serve at all without it.
    public var isRequired: Bool
    /// Since when it stands like this.
    public var since: Timestamp
    /// What it last failed with, for operators; without addresses' credentials.
    public var lastError: String?

    public init(name: String, isUp: Bool, isRequired: Bool, since: Timestamp, lastError: String? = nil) {
        self.name = name
        self.isUp = isUp
        self.isRequired = isRequired
        self.since = since
        self.lastError = lastError
    }

    func write(into out: inout JSONWriter) {
        out.key("state")
        out.string(isUp ? "up" : "down")
        out.key("since")
        out.string(since.iso8601)
        out.key("lastError")
        if let lastError { out.string(lastError) } else { out.null() }
    }
}

/// Asks the dependencies how they are, and remembers since when.
public final class Dependencies: Sendable {
    public typealias Probe = @Sendable () async -> String?

    private struct Entry {
        let isRequired: Bool
        let probe: Probe
        var state: DependencyState
    }

    private let entries = Mutex<[(name: String, entry: Entry)]>([])
    private let clock: @Sendable () -> Timestamp

    public init(clock: @escaping @Sendable () -> Timestamp) { self.clock = clock }

    /// - Parameter probe: answers nil when all is well, else what is wrong.
    public func add(_ name: String, isRequired: Bool, probe: @escaping Probe) {
        let state = DependencyState(name: name, isUp: true, isRequired: isRequired, since: clock())
        entries.withLock { $0.append((name, Entry(isRequired: isRequired, probe: probe, state: state))) }
    }

    func report() async -> [DependencyState] {
        var report: [DependencyState] = []
        let probes = entries.withLock { $0.map(\.entry.probe) }
        for index in probes.indices {
            let trouble = await probes[index]()
            report.append(note(index, trouble))
        }
        return report
    }

    private func note(_ index: Int, _ trouble: String?) -> DependencyState {
        let now = clock()
        return entries.withLock { entries in
            if entries[index].entry.state.isUp != (trouble == nil) {
                entries[index].entry.state.isUp = trouble == nil
                entries[index].entry.state.since = now
            }
            if let trouble { entries[index].entry.state.lastError = trouble }
            return entries[index].entry.state
        }
    }
}
