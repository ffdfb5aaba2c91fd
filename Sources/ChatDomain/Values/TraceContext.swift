/// The trace a call belongs to, as the header `traceparent` carries it (W3C Trace Context, section 3.2).
public struct TraceContext: Hashable, Sendable {
    /// Sixteen bytes, not all zero.
    public struct TraceID: Hashable, Sendable {
        public let high: UInt64
        public let low: UInt64

        public init(high: UInt64, low: UInt64) {
            self.high = high
            self.low = low
        }

        /// 32 lower-case hex digits.
        public var hex: String { Self.hex(high) + Self.hex(low) }

        /// 16 lower-case hex digits.
        package static func hex(_ value: UInt64) -> String {
            let digits = String(value, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }
    }

    public var trace: TraceID
    /// The caller's span; not zero.
    public var span: UInt64
    /// Whether the caller records its part of the trace.
    public var isSampled: Bool

    public init(trace: TraceID, span: UInt64, isSampled: Bool) {
        self.trace = trace
        self.span = span
        self.isSampled = isSampled
    }

    /// Reads the header of version 00, and the same fields of later versions; nil for anything else.
    public init?(_ header: String) {
        let parts = header.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard parts.count >= 4, parts.prefix(4).map(\.count) == [2, 32, 16, 2], !parts[0].elementsEqual("ff".utf8),
            parts.count == 4 || !parts[0].elementsEqual("00".utf8),
            let high = Self.number(parts[1].prefix(16)), let low = Self.number(parts[1].suffix(16)),
            let span = Self.number(parts[2]), let flags = Self.number(parts[3]), Self.number(parts[0]) != nil,
            high | low != 0, span != 0
        else { return nil }
        self.init(trace: TraceID(high: high, low: low), span: span, isSampled: flags & 1 == 1)
    }

    /// The header.
    public var text: String { "00-\(trace.hex)-\(TraceID.hex(span))-\(isSampled ? "01" : "00")" }

    /// The value of lower-case hex digits; nil for other characters.
    private static func number(_ digits: some Collection<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for digit in digits {
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt64(digit - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt64(digit - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        return value
    }
}
