import ChatDomain

/// How fast a user may do what is no message, on this instance. All of it follows from the message rate, so that there is
/// one number to set; 0 turns all of it off.
package final class UserLimits: Sendable {
    /// Calls over REST that change something, messages apart, and lists however they are asked for.
    private let calls: RateTable<UserID>
    private let joins: RateTable<UserID>
    private let rooms: RateTable<UserID>
    private let typing: RateTable<UserID>

    package init(messageRate: Int) {
        calls = RateTable(rate: messageRate, burst: messageRate * 3)
        joins = RateTable(rate: messageRate, burst: messageRate * 10)
        rooms = RateTable(rate: Self.part(10, of: messageRate), burst: messageRate * 3)
        typing = RateTable(rate: Self.part(4, of: messageRate), burst: messageRate)
    }

    /// Uses the rates that follow from another message rate, from now on.
    package func setMessageRate(_ messageRate: Int) {
        calls.setRate(messageRate, burst: messageRate * 3)
        joins.setRate(messageRate, burst: messageRate * 10)
        rooms.setRate(Self.part(10, of: messageRate), burst: messageRate * 3)
        typing.setRate(Self.part(4, of: messageRate), burst: messageRate)
    }

    /// A part of the rate, and once a second at least unless there is no limit.
    private static func part(_ part: Int, of rate: Int) -> Int { rate > 0 ? max(1, rate / part) : 0 }

    /// - Throws: `rate_limited`, like the others.
    package func countCall(of user: UserID, at now: Moment) throws(ChatError) {
        try Self.check(calls.count(user, at: now))
    }
    package func countJoin(of user: UserID, at now: Moment) throws(ChatError) {
        try Self.check(joins.count(user, at: now))
    }
    package func countRoom(of user: UserID, at now: Moment) throws(ChatError) {
        try Self.check(rooms.count(user, at: now))
    }
    /// Counts one more room that the user creates; why it is refused, or nil.
    package func refusalOfRoom(by user: UserID, at now: Moment) -> ChatError? {
        do throws(ChatError) { try countRoom(of: user, at: now) } catch { return error }
        return nil
    }

    /// Whether the user may show anew to be typing. A user that types faster is shown as typing already, so it is no error.
    package func mayType(_ user: UserID, at now: Moment) -> Bool { typing.count(user, at: now) == nil }

    package func sweep(at now: Moment) {
        calls.sweep(at: now)
        joins.sweep(at: now)
        rooms.sweep(at: now)
        typing.sweep(at: now)
    }

    private static func check(_ wait: Duration?) throws(ChatError) {
        if let wait { throw .tooFast(wait: wait) }
    }
}
