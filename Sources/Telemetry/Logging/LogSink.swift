import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Where finished lines go. Called from any thread; a line arrives whole.
public protocol LogSink: Sendable {
    func write(_ line: [UInt8])
}

/// Drops every line.
struct DiscardingSink: LogSink {
    func write(_ line: [UInt8]) {}
}

/// The standard error stream. The lock keeps lines whole where the kernel would split a long one.
public final class StandardErrorSink: LogSink {
    private let lock = Mutex(())

    public init() {}

    /// Whether a person watches: pretty lines there, JSON elsewhere.
    public static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    public func write(_ line: [UInt8]) {
        lock.withLock { _ in
            // A line that standard error does not take has nowhere else to go.
            _ = writeAll(line, to: STDERR_FILENO)
        }
    }
}

/// Writes each line to several sinks, in order.
public struct TeeSink: LogSink {
    private let sinks: [any LogSink]

    public init(_ sinks: [any LogSink]) { self.sinks = sinks }

    public func write(_ line: [UInt8]) {
        for sink in sinks { sink.write(line) }
    }
}

/// Writes the whole line, resuming after interruptions; false when the descriptor takes no more.
func writeAll(_ line: [UInt8], to descriptor: Int32) -> Bool {
    line.withUnsafeBytes { bytes in
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if written > 0 {
                rest = rest.dropFirst(written)
            } else if errno != EINTR {
                return false
            }
        }
        return true
    }
}
