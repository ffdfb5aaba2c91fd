/// A message's id: 12 bytes, 24 hex digits on the wire, laid out like a MongoDB ObjectId (seconds, process, counter).
public struct MessageID: Hashable, Sendable, CustomStringConvertible {
    public let high: UInt64
    public let low: UInt32

    public init(high: UInt64, low: UInt32) {
        self.high = high
        self.low = low
    }

    /// Reads 24 hex digits of either case; nil for anything else.
    public init?(_ text: some StringProtocol) {
        let digits = text.utf8
        guard digits.count == 24 else { return nil }
        var high: UInt64 = 0
        var low: UInt32 = 0
        for (index, digit) in digits.enumerated() {
            guard let nibble = Self.nibble(digit) else { return nil }
            if index < 16 { high = high << 4 | UInt64(nibble) } else { low = low << 4 | UInt32(nibble) }
        }
        self.init(high: high, low: low)
    }

    /// The 12 bytes in network order, as MongoDB stores them.
    public var bytes: [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: high >> (56 - 8 * $0)) }
            + (0..<4).map { UInt8(truncatingIfNeeded: low >> (24 - 8 * $0)) }
    }

    /// nil unless there are exactly 12 bytes.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 12 else { return nil }
        high = bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
        low = bytes.dropFirst(8).reduce(0) { $0 << 8 | UInt32($1) }
    }

    public var description: String {
        String(unsafeUninitializedCapacity: 24) { out in
            write { out[$0] = $1 }
            return 24
        }
    }

    /// Hands out the 24 lower-case hex digits one by one, for writers that avoid a string.
    @inline(__always)
    public func write(_ put: (Int, UInt8) -> Void) {
        for index in 0..<24 {
            let nibble =
                index < 16
                ? UInt8(truncatingIfNeeded: high >> (60 - 4 * UInt64(index)) & 15)
                : UInt8(truncatingIfNeeded: low >> (28 - 4 * UInt32(index - 16)) & 15)
            put(index, nibble < 10 ? 48 + nibble : 87 + nibble)
        }
    }

    private static func nibble(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 48...57: digit - 48
        case 65...70: digit - 55
        case 97...102: digit - 87
        default: nil
        }
    }
}

/// Makes message ids: unique across instances by 5 random bytes, within one by a counter.
public struct MessageIDGenerator: Sendable {
    private let process: UInt64
    private var counter: UInt32

    /// - Parameter seed: random; 40 bits of it name the process, 24 start the counter.
    public init(seed: UInt64) {
        process = seed & 0xFF_FFFF_FFFF
        counter = UInt32(truncatingIfNeeded: seed >> 40)
    }

    public mutating func next(at now: Timestamp) -> MessageID {
        counter = (counter &+ 1) & 0xFF_FFFF
        let seconds = UInt64(UInt32(truncatingIfNeeded: now.milliseconds / 1000))
        return MessageID(
            high: seconds << 32 | process >> 8,
            low: UInt32(truncatingIfNeeded: process & 0xFF) << 24 | counter)
    }
}
