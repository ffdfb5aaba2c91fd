/// When the sessions of an instance that ends are closed.
package struct DrainPlan: Sendable {
    /// Sessions that one instance takes in a second without its own clients noticing: each is a handshake, a sign-in and its
    /// rooms' news.
    private static let takenPerSecond = 500
    /// More instances than this make no difference, and Redis may say anything.
    private static let maximumOthers = 1000

    /// Sessions are closed within this time, each at a moment of its own.
    package let spread: Duration
    /// A client waits up to this long once it is cut off, and then connects again. With others there the closing itself is
    /// spread, so that little is left to wait for; alone, this is the time the next start may take.
    package let pause: Duration

    /// - Parameters:
    ///   - others: instances that can take the sessions. Without any they stay as long as they may.
    ///   - limit: the longest time the closing may take.
    package init(sessions: Int, others: Int, limit: Duration) {
        let limit = max(limit, .zero)
        guard others > 0 else {
            (spread, pause) = (limit, .seconds(1))
            return
        }
        let perSecond = min(others, Self.maximumOthers) * Self.takenPerSecond
        spread = min(limit, .milliseconds(sessions * 1000 / perSecond))
        pause = .milliseconds(100)
    }
}
