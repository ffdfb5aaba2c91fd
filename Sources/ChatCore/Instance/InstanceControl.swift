import ChatDomain
import JSON
import Synchronization

/// What became of a reload of one instance.
public struct ReloadReport: Hashable, Sendable {
    /// The kinds of settings that are taken from what was read.
    public var applied: [String] = []
    /// Names of variables that changed and take effect at the next start.
    public var restartNeeded: [String] = []
    /// What could not be had, although the reload took effect.
    public var warnings: [String] = []
    /// Why nothing was taken, naming the variable; nil for a reload that took effect. Holds no secret.
    public var error: String?

    /// An empty report.
    public init() {}

    /// A refusal.
    public init(error: String) { self.error = error }

    /// Another instance's report; what is none counts as a refusal.
    package init(_ root: JSONValue) {
        func texts(_ name: String) -> [String] { (root[name]?.array ?? []).prefix(1000).compactMap(\.string) }
        applied = texts("applied")
        restartNeeded = texts("restartNeeded")
        warnings = texts("warnings")
        error = root["error"]?.string
        if root["applied"]?.array == nil, error == nil { error = "the answer was not understood" }
    }

    /// Whether the instance uses what it has read.
    package var isApplied: Bool { error == nil }

    package func write(into out: inout JSONWriter) {
        func texts(_ name: StaticString, _ texts: [String]) {
            out.key(name)
            out.array(texts) { $0.string($1) }
        }
        out.member("outcome", (isApplied ? AuditEntry.Outcome.done : .refused).rawValue)
        texts("applied", applied)
        texts("restartNeeded", restartNeeded)
        texts("warnings", warnings)
        out.member("error", error)
    }
}

/// What the process offers to operators beyond the chat.
public final class InstanceControl: Sendable {
    /// Reads the configuration again.
    public typealias Reload = @Sendable () async -> ReloadReport
    /// Sends the sessions away.
    public typealias Drain = @Sendable () async -> Void

    private let actions = Mutex<(reload: Reload, drain: Drain)?>(nil)

    package init() {}

    /// Called once, when the instance is assembled.
    public func set(reload: @escaping Reload, drain: @escaping Drain) { actions.withLock { $0 = (reload, drain) } }

    package func reload() async -> ReloadReport {
        guard let reload = actions.withLock({ $0?.reload }) else {
            return ReloadReport(error: "this instance is still starting")
        }
        return await reload()
    }

    package func drain() async { await actions.withLock({ $0?.drain })?() }
}
