/// One value of a structured log line.
public enum LogValue: Hashable, Sendable {
    case string(String)
    case integer(Int64)
    case double(Double)
    case bool(Bool)
    /// No value: the field is left out.
    case absent
}

/// A type whose values may be fields of a log line.
public protocol LogValueConvertible {
    var logValue: LogValue { get }
}

extension LogValueConvertible where Self: CustomStringConvertible {
    public var logValue: LogValue { .string(description) }
}

extension LogValueConvertible where Self: BinaryInteger {
    public var logValue: LogValue {
        Int64(exactly: self).map(LogValue.integer) ?? .string(String(self))
    }
}

extension Int: LogValueConvertible {}
extension Int32: LogValueConvertible {}
extension Int64: LogValueConvertible {}
extension UInt16: LogValueConvertible {}
extension UInt32: LogValueConvertible {}
extension UInt64: LogValueConvertible {}

extension String: LogValueConvertible {
    public var logValue: LogValue { .string(self) }
}

extension Substring: LogValueConvertible {
    public var logValue: LogValue { .string(String(self)) }
}

extension Bool: LogValueConvertible {
    public var logValue: LogValue { .bool(self) }
}

extension Double: LogValueConvertible {
    public var logValue: LogValue { .double(self) }
}

extension Optional: LogValueConvertible where Wrapped: LogValueConvertible {
    public var logValue: LogValue { self?.logValue ?? .absent }
}

extension LogValue: LogValueConvertible {
    public var logValue: LogValue { self }
}
