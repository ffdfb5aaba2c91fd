extension Timestamp {
    /// Reads `2026-01-02T03:04:05.678Z` (RFC 3339): the fraction may be left out or longer, the offset be `+02:00`.
    public init?(iso8601 text: String) {
        var rest = text.utf8[...]
        func number(_ digits: Int) -> Int64? {
            let part = rest.prefix(digits)
            guard part.count == digits, part.allSatisfy({ 48...57 ~= $0 }) else { return nil }
            rest = rest.dropFirst(digits)
            return part.reduce(0) { $0 * 10 + Int64($1 - 48) }
        }
        func skip(_ allowed: String) -> Bool {
            guard let byte = rest.first, allowed.utf8.contains(byte) else { return false }
            rest = rest.dropFirst()
            return true
        }
        guard let year = number(4), skip("-"), let month = number(2), skip("-"), let day = number(2), skip("Tt "),
            let hour = number(2), skip(":"), let minute = number(2), skip(":"), let second = number(2),
            1...12 ~= month, 1...31 ~= day, hour < 24, minute < 60, second < 61
        else { return nil }
        var fraction: Int64 = 0
        if skip(".") {
            let digits = rest.prefix { 48...57 ~= $0 }
            guard !digits.isEmpty else { return nil }
            rest = rest.dropFirst(digits.count)
            fraction = (Array(digits.prefix(3)) + [48, 48, 48]).prefix(3).reduce(0) { $0 * 10 + Int64($1 - 48) }
        }
        var offset: Int64 = 0
        if !skip("Zz") {
            let isWest = rest.first == UInt8(ascii: "-")
            guard skip("+-"), let hours = number(2), skip(":"), let minutes = number(2), hours < 24, minutes < 60 else {
                return nil
            }
            offset = (hours * 60 + minutes) * (isWest ? -60 : 60)
        }
        guard rest.isEmpty else { return nil }
        let seconds = Self.days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset
        self.init(milliseconds: seconds * 1000 + fraction)
    }

    /// Days from 1970-01-01 to a date of the proleptic Gregorian calendar (eras of 400 years, which repeat exactly).
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
