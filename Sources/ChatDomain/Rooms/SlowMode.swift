/// When members sent last in a room where each has to wait between two messages. See ADR 35.
///
/// A value without a clock. It is as exact as the messages it was told of: every message of the room that this instance stored or
/// was sent, and the newest ones of the store when the room was read.
struct SlowMode: Sendable {
    private struct Sent: Sendable {
        var time: Timestamp
        var clientMessageID: String?
    }

    /// Users that are remembered. Past that the earlier half is forgotten.
    static let capacity = 10_000

    private var last: [UserID: Sent] = [:]

    var count: Int { last.count }

    /// Notes a message; one older than what is known changes nothing.
    mutating func note(_ user: UserID, at time: Timestamp, clientMessageID: String?) {
        if let known = last[user], known.time > time { return }
        last[user] = Sent(time: time, clientMessageID: clientMessageID)
        guard last.count > Self.capacity else { return }
        let median = last.values.map(\.time).sorted()[last.count / 2]
        last = last.filter { $0.value.time > median }
    }

    /// The message of that time was not stored.
    mutating func forget(_ user: UserID, at time: Timestamp) {
        if last[user]?.time == time { last[user] = nil }
    }

    /// How long the user has to wait before the next message; nil for not at all, also where the message is the last one again.
    func wait(of user: UserID, clientMessageID: String?, interval: Duration, at now: Timestamp) -> Duration? {
        guard let sent = last[user] else { return nil }
        if let clientMessageID, sent.clientMessageID?.hasSameBytes(as: clientMessageID) == true { return nil }
        let wait = interval - .milliseconds(now.milliseconds - sent.time.milliseconds)
        // A message from far ahead is of an instance with a wrong clock.
        return wait > .zero && wait <= interval * 2 ? min(wait, interval) : nil
    }
}
