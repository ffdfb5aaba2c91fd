/// The fields of one log line, in the order they are written.
public typealias LogFields = KeyValuePairs<String, any LogValueConvertible>

/// A structured logger: a small value, copied freely, that may be used from any thread.
///
/// Every string it writes goes through ``Redaction`` and has its control characters escaped, so that neither a secret nor a
/// forged line gets into a log. Messages below ``level`` are not even evaluated. A write is one `write(2)` under a lock.
public struct Logger: Sendable {
    private let threshold: LogThreshold
    private let format: LogFormat
    private let sink: any LogSink
    private let clock: @Sendable () -> Int64
    private var bound: [LogField] = []

    /// - Parameter clock: milliseconds since the Unix epoch.
    public init(
        level: LogLevel, format: LogFormat, sink: any LogSink,
        clock: @escaping @Sendable () -> Int64 = WallClock.milliseconds
    ) {
        threshold = LogThreshold(level)
        self.format = format
        self.sink = sink
        self.clock = clock
    }

    /// The least level that is written. Setting it holds for every copy of this logger.
    public var level: LogLevel {
        get { threshold.level }
        nonmutating set { threshold.level = newValue }
    }

    /// A logger that writes nothing.
    public static let disabled = Logger(level: .error, format: .json, sink: DiscardingSink())

    /// The same logger with fields that every line of it carries, a connection's id for one.
    public func with(_ fields: LogFields) -> Logger {
        var child = self
        child.bound.append(contentsOf: fields.map { LogField(name: $0.key, value: $0.value.logValue) })
        return child
    }

    @inlinable
    public func debug(_ message: @autoclosure () -> String, _ fields: @autoclosure () -> LogFields = [:]) {
        if level <= .debug { write(.debug, message(), fields()) }
    }

    @inlinable
    public func info(_ message: @autoclosure () -> String, _ fields: @autoclosure () -> LogFields = [:]) {
        if level <= .info { write(.info, message(), fields()) }
    }

    @inlinable
    public func notice(_ message: @autoclosure () -> String, _ fields: @autoclosure () -> LogFields = [:]) {
        if level <= .notice { write(.notice, message(), fields()) }
    }

    @inlinable
    public func warning(_ message: @autoclosure () -> String, _ fields: @autoclosure () -> LogFields = [:]) {
        if level <= .warning { write(.warning, message(), fields()) }
    }

    @inlinable
    public func error(_ message: @autoclosure () -> String, _ fields: @autoclosure () -> LogFields = [:]) {
        write(.error, message(), fields())
    }

    /// Writes the line whatever the logger's level; for callers who have compared the levels already.
    public func write(_ level: LogLevel, _ message: String, _ fields: LogFields) {
        var all = bound
        for (name, value) in fields { all.append(LogField(name: name, value: value.logValue)) }
        let line = format.line(LogEntry(time: clock(), level: level, message: message, fields: all))
        sink.write(line)
    }
}
