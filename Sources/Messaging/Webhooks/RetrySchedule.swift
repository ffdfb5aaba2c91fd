import ChatDomain

/// What a receiver made of one request.
enum AttemptOutcome: Hashable, Sendable {
    /// - Parameter retryAfter: the value of that header field, if there is one.
    case answered(status: Int, retryAfter: String? = nil)
    /// There is no answer, for this reason.
    case failed(String)

    /// Why it was not taken; nil when it was.
    var failure: String? {
        switch self {
        case .answered(200..<300, _): nil
        case .answered(let status, _): "status \(status)"
        case .failed(let reason): reason
        }
    }
}

/// When a delivery is attempted again, and when no more. A value without clock or I/O.
public struct RetrySchedule: Hashable, Sendable {
    enum Decision: Hashable, Sendable {
        case done
        /// - Parameter pause: until when the receiver is asked for nothing, because it asked for that.
        case retry(at: Timestamp, failure: String, pause: Timestamp?)
        case dead(failure: String, pause: Timestamp?)
        /// The receiver says that it takes no events any more.
        case gone(failure: String)
    }

    /// A receiver that wants to be left alone for longer is asked again after this time.
    private static let longestPause = Duration.seconds(3600)
    /// The part of a delay by which it may be longer, so that deliveries that failed together do not come back together.
    private static let jitter = 0.1

    /// The times between the attempts: one less than there are attempts.
    public var delays: [Duration]

    public init(delays: [Duration] = Self.standardDelays) { self.delays = delays }

    /// Three days in all, as Standard Webhooks recommends.
    public static let standardDelays: [Duration] = [
        5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400,
    ].map { .seconds($0) }

    /// - Parameters:
    ///   - attempts: the attempts that failed before.
    ///   - random: from 0 to 1.
    func decision(
        on outcome: AttemptOutcome, after attempts: Int, at now: Timestamp, random: Double
    ) -> Decision {
        let failure: String
        var pause: Duration?
        switch outcome {
        case .answered(200...299, _): return .done
        case .answered(410, _): return .gone(failure: "410: the receiver takes no events any more")
        case .answered(let status, let retryAfter):
            failure = "the receiver answered \(status)"
            if status == 429 || status == 503 {
                pause = retryAfter.flatMap { Self.span(retryAfter: $0, at: now) }.map { min($0, Self.longestPause) }
            }
        case .failed(let reason): failure = reason
        }
        let pausedUntil = pause.map { now + $0 }
        guard delays.indices.contains(attempts) else { return .dead(failure: failure, pause: pausedUntil) }
        let delay = delays[attempts] * (1 + Self.jitter * min(max(random, 0), 1))
        return .retry(at: now + max(delay, pause ?? .zero), failure: failure, pause: pausedUntil)
    }

    /// The time that `Retry-After` names: seconds, or an HTTP date (RFC 9110 section 10.2.3). nil for anything else.
    static func span(retryAfter text: String, at now: Timestamp) -> Duration? {
        if let seconds = Int64(text), seconds >= 0 { return .seconds(min(seconds, longestPause.components.seconds)) }
        let parts = text.split(separator: " ")
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        guard parts.count == 6, parts[5] == "GMT", let month = months.firstIndex(of: String(parts[2])) else {
            return nil
        }
        let number = month < 9 ? "0\(month + 1)" : "\(month + 1)"
        guard let date = Timestamp(iso8601: "\(parts[3])-\(number)-\(parts[1])T\(parts[4])Z") else { return nil }
        return max(.zero, .milliseconds(date.milliseconds - now.milliseconds))
    }
}

extension Timestamp {
    static func + (time: Self, span: Duration) -> Self {
        let (sum, overflow) = time.milliseconds.addingReportingOverflow(span.wholeMilliseconds)
        return Timestamp(milliseconds: overflow ? .max : sum)
    }
}
