import ChatDomain
import Workers

/// When a key set is fetched, as a value.
///
/// A set is fetched again when it is no longer fresh, after a failure with back-off, and for a token that names a key
/// which the set does not hold.
struct KeySetSchedule: Sendable {
    /// The bounds of the time that a set counts as fresh, whatever its `max-age`. A key that was taken out of the set verifies
    /// tokens for the upper bound at most, as long as the server answers.
    static let freshness: ClosedRange<Duration> = Duration.seconds(60)...Duration.seconds(3600)
    /// The time for a set without `max-age`.
    static let usualFreshness: Duration = .seconds(300)
    /// The least time between two fetches for unknown keys.
    static let unknownKeyInterval: Duration = .seconds(30)

    /// When the next fetch is due.
    private(set) var nextFetch: Moment
    /// Whether the last fetch succeeded.
    private(set) var isCurrent = false
    private var lastForUnknownKey: Moment?
    private var backoff = Backoff(base: .seconds(1), limit: .seconds(30))

    init(now: Moment) { nextFetch = now }

    /// Whether a token with an unknown key may cause a fetch.
    func mayFetchForUnknownKey(now: Moment) -> Bool {
        lastForUnknownKey.map { now >= $0 + Self.unknownKeyInterval } ?? true
    }

    mutating func beginForUnknownKey(now: Moment) { lastForUnknownKey = now }

    /// - Parameter maximumAge: what the server says; nil where it says nothing.
    mutating func succeeded(maximumAge: Duration?, now: Moment) {
        isCurrent = true
        backoff.reset()
        let age = maximumAge ?? Self.usualFreshness
        nextFetch = now + min(max(age, Self.freshness.lowerBound), Self.freshness.upperBound)
    }

    mutating func failed(now: Moment, using random: inout some RandomNumberGenerator) {
        isCurrent = false
        nextFetch = now + max(.milliseconds(100), backoff.nextDelay(using: &random))
    }
}

/// The freshness that a server states (RFC 9111 section 5.2.2).
enum CacheControl {
    /// The time of `max-age`; zero where the answer is not to be kept; nil where nothing is said.
    static func maximumAge(_ field: String?) -> Duration? {
        guard let field else { return nil }
        var age: Duration?
        for directive in field.lowercased().split(separator: ",") {
            let text = directive.drop { $0 == " " || $0 == "\t" }
            if text.hasPrefix("no-store") || text.hasPrefix("no-cache") { return .zero }
            guard text.hasPrefix("max-age=") else { continue }
            let digits = text.dropFirst("max-age=".count).prefix { $0.isASCII && $0.isNumber }
            // More digits than a number holds are a long time.
            age = digits.isEmpty ? age : .seconds(Int32(digits) ?? .max)
        }
        return age
    }
}
