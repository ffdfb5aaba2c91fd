import Synchronization
import Telemetry

/// Keeps the lines it is given.
final class CollectingSink: LogSink {
    private let kept = Mutex<[String]>([])

    func write(_ line: [UInt8]) { kept.withLock { $0.append(String(decoding: line, as: UTF8.self)) } }

    var lines: [String] { kept.withLock { $0 } }
}

/// 2026-01-02T03:04:05.678Z
let sometime: Int64 = 1_767_323_045_678
