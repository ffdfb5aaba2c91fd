/// How much a log line matters; a logger drops lines below its own level.
public enum LogLevel: Int, Comparable, Sendable, CaseIterable {
    /// Single events of single connections; off in production.
    case debug
    /// The ordinary course of the process.
    case info
    /// Rare, normal, and worth a reader's attention: start, drain, a dependency that came back.
    case notice
    /// Something failed and the service works on.
    case warning
    /// Something failed and a caller is not served.
    case error

    public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }

    /// The name in configuration and in JSON lines.
    public var name: String {
        switch self {
        case .debug: "debug"
        case .info: "info"
        case .notice: "notice"
        case .warning: "warning"
        case .error: "error"
        }
    }

    public init?(name: String) {
        guard let level = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = level
    }
}
