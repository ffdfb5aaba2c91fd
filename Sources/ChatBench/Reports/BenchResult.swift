/// How a run ended.
public struct BenchResult: Sendable {
    public var report: BenchReport
    /// Why the run ended early; nil when it ran to its end.
    public var failure: String?
    /// Whether the run ended as planned and every promise held.
    public var isClean: Bool
}

/// Why a run could not continue.
public struct BenchFailure: Error, CustomStringConvertible {
    public let description: String
}
