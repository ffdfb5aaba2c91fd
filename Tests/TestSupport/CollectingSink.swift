import Synchronization
public import Telemetry

/// Keeps the lines it is given.
public final class CollectingSink: LogSink {
    private let kept = Mutex<[String]>([])

    public init() {}

    public func write(_ line: [UInt8]) { kept.withLock { $0.append(String(decoding: line, as: UTF8.self)) } }

    public var lines: [String] { kept.withLock { $0 } }
}
