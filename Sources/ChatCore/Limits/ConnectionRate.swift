import ChatDomain

/// How fast one connection may talk: five times a user's message rate for frames of every kind.
struct ConnectionRate {
    private static let framesPerMessage = 5
    /// So many refusals in a row within the window end the connection.
    private static let abuseRefusals: UInt8 = 50
    private static let abuseWindow: Duration = .seconds(10)

    private var bucket: TokenBucket
    private var firstRefusal = Moment(milliseconds: 0)
    private var refusals: UInt8 = 0

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
        if refusals == 0 || now - firstRefusal > Self.abuseWindow {
            refusals = 0
            firstRefusal = now
        }
        refusals = min(refusals + 1, Self.abuseRefusals)
    }

    /// Whether the client continues after many refusals.
    var isAbusive: Bool { refusals >= Self.abuseRefusals }
}

extension ChatError {
    package static func tooFast(wait: Duration) -> Self {
        .init(.rateLimited, "too many requests; wait \(wait.wholeMilliseconds) ms", retryAfter: wait)
    }
}
