/// Wall-clock time, in integer milliseconds since the Unix epoch. For what clients see; never for measuring a span.
///
/// It lies within the years 0000 to 9999, which are all that ISO 8601 writes; so no sum or difference of two can overflow.
public struct Timestamp: Hashable, Comparable, Sendable {
    /// The years 0000 to 9999, which ISO 8601 writes in four digits.
    public static let years: ClosedRange<Int64> = -62_167_219_200_000...253_402_300_799_999

    public let milliseconds: Int64

    /// - Parameter milliseconds: any number; one outside the years means the nearest moment inside.
    public init(milliseconds: Int64) {
        self.milliseconds = min(max(milliseconds, Self.years.lowerBound), Self.years.upperBound)
    }

    public static func < (a: Self, b: Self) -> Bool { a.milliseconds < b.milliseconds }
}

/// Monotonic time, in milliseconds from an arbitrary start. For deadlines, expiries and rates.
public struct Moment: Hashable, Comparable, Sendable {
    public var milliseconds: Int64
    public init(milliseconds: Int64) { self.milliseconds = milliseconds }
    public static func < (a: Self, b: Self) -> Bool { a.milliseconds < b.milliseconds }
    public static func + (a: Self, span: Duration) -> Self {
        .init(milliseconds: a.milliseconds + span.wholeMilliseconds)
    }
    public static func - (a: Self, span: Duration) -> Self {
        .init(milliseconds: a.milliseconds - span.wholeMilliseconds)
    }
    public static func - (a: Self, b: Self) -> Duration { .milliseconds(a.milliseconds - b.milliseconds) }
}

extension Duration {
    /// The span in milliseconds, cut to a whole number: what clocks, wire formats and stores count in.
    package var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1000 + attoseconds / 1_000_000_000_000_000
    }
}

extension Optional<Moment> {
    /// The earlier of two deadlines, either of which may not be set.
    package func orEarlier(_ other: Moment?) -> Moment? {
        guard let self, let other else { return self ?? other }
        return Swift.min(self, other)
    }
}

/// Both clocks, read together once per loop turn and passed to every rule that needs the time.
public struct Now: Hashable, Sendable {
    public var wall: Timestamp
    public var monotonic: Moment
    public init(wall: Timestamp, monotonic: Moment) {
        self.wall = wall
        self.monotonic = monotonic
    }
}

extension Timestamp {
    /// ISO 8601 in UTC with milliseconds: `2026-01-02T03:04:05.678Z`.
    public var iso8601: String {
        var days = Int(milliseconds / 86_400_000)
        var rest = Int(milliseconds % 86_400_000)
        if rest < 0 {
            rest += 86_400_000
            days -= 1
        }
        let (year, month, day) = Self.civil(fromDays: days)
        let parts: [(Int, Int, UInt8)] = [
            (year, 4, 45), (month, 2, 45), (day, 2, 84), (rest / 3_600_000, 2, 58), (rest / 60_000 % 60, 2, 58),
            (rest / 1000 % 60, 2, 46), (rest % 1000, 3, 90),
        ]
        var text: [UInt8] = []
        text.reserveCapacity(24)
        for (value, width, separator) in parts {
            var scale = (1..<width).reduce(1) { scale, _ in scale * 10 }
            while scale > 0 {
                text.append(48 + UInt8(value / scale % 10))
                scale /= 10
            }
            text.append(separator)
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The proleptic Gregorian date of a day count since 1970-01-01 (eras of 400 years, which repeat exactly).
    private static func civil(fromDays days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (
            yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        )
    }
}
