import ChatDomain

/// How fast one connection may talk: five times a user's message rate for frames of every kind.
struct ConnectionRate {
    private static let framesPerMessage = 5
    /// So many refusals in a row within the window end the connection.
    private static let abuseRefusals = 50
    private static let abuseWindow: Duration = .seconds(10)

    /// Refusals in a row. On the heap, because few clients have any.
    private indirect enum Refusals {
        case none
        case some(since: Moment, count: Int)
    }

    private var bucket: TokenBucket
    private var refusals = Refusals.none

    init(messageRate: Int, at now: Moment) {
        bucket = TokenBucket(burst: messageRate * Self.framesPerMessage * 3, at: now)
    }

    /// - Parameter messageRate: the user's, as it is now.
    /// - Throws: `rate_limited` when this is one frame too many.
    mutating func count(messageRate: Int, at now: Moment) throws(ChatError) {
        let rate = messageRate * Self.framesPerMessage
        guard rate > 0, let wait = bucket.take(rate: rate, burst: rate * 3, at: now) else { return }
        noteRefusal(at: now)
        throw .tooFast(wait: wait)
    }

    mutating func noteRefusal(at now: Moment) {
        if case .some(let first, let count) = refusals, now - first <= Self.abuseWindow {
            refusals = .some(since: first, count: min(count + 1, Self.abuseRefusals))
        } else {
            refusals = .some(since: now, count: 1)
        }
    }

    /// Whether the client continues after many refusals.
    var isAbusive: Bool { if case .some(_, Self.abuseRefusals) = refusals { true } else { false } }
}

extension ChatError {
    package static func tooFast(wait: Duration) -> Self {
        .init(.rateLimited, "too many requests; wait \(wait.wholeMilliseconds) ms", retryAfter: wait)
    }
}
