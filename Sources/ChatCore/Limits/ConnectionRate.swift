import ChatDomain

/// How fast one connection may talk: five times a user's message rate for frames of every kind.
struct ConnectionRate {
    private static let framesPerMessage = 5
    /// So many refusals in a row within the window end the connection.
    private static let abuseRefusals = 50
    private static let abuseWindow: Duration = .seconds(10)

    private var rate: Int
    private var bucket: TokenBucket
    private var refusals = 0
    private var firstRefusal = Moment(milliseconds: 0)

    init(messageRate: Int, at now: Moment) {
        rate = messageRate * Self.framesPerMessage
        bucket = TokenBucket(burst: rate * 3, at: now)
    }

    /// Uses another message rate of the user from now on.
    mutating func setMessageRate(_ messageRate: Int) { rate = messageRate * Self.framesPerMessage }

    /// - Throws: `rate_limited` when this is one frame too many.
    mutating func count(at now: Moment) throws(ChatError) {
        guard rate > 0, let wait = bucket.take(rate: rate, burst: rate * 3, at: now) else { return }
        noteRefusal(at: now)
        throw .tooFast(wait: wait)
    }

    mutating func noteRefusal(at now: Moment) {
        if refusals == 0 || now - firstRefusal > Self.abuseWindow {
            refusals = 0
            firstRefusal = now
        }
        refusals += 1
    }

    /// Whether the client continues after many refusals.
    var isAbusive: Bool { refusals >= Self.abuseRefusals }
}

extension ChatError {
    package static func tooFast(wait: Duration) -> Self {
        .init(.rateLimited, "too many requests; wait \(wait.wholeMilliseconds) ms", retryAfter: wait)
    }
}
