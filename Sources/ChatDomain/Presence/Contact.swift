/// Whether an instance has certainly received the news that other instances sent to all instances.
///
/// A proof is a message that this instance sent to itself over the way that news comes. Once it arrives, all earlier news has
/// arrived too. A proof holds for `validity`. An instance that sends news and gets no acknowledgement waits as long. By then
/// the other instance has received the news, or knows that it may have missed some and trusts nothing that it read before.
public struct Contact: Hashable, Sendable {
    /// How long a proof holds.
    public static let validity: Duration = .seconds(5)

    /// From when on nothing was missed.
    public private(set) var since: Moment
    /// When the last proof's time is over; of the last one, after contact was lost.
    public private(set) var until: Moment

    /// No contact yet.
    public init() {
        since = Moment(milliseconds: .max)
        until = Moment(milliseconds: .min)
    }

    public init(since: Moment, until: Moment) {
        self.since = since
        self.until = until
    }

    /// An instance by itself misses nothing.
    public static let always = Contact(since: Moment(milliseconds: .min), until: Moment(milliseconds: .max))

    /// Whether what was read from the store at `moment` still holds, as far as news goes.
    public func vouches(for moment: Moment, at now: Moment) -> Bool { now < until && moment >= since }

    /// - Parameter sentAt: when this instance began what came back at `now`.
    public mutating func prove(sentAt: Moment, at now: Moment) {
        if now >= until || since.milliseconds == .max { since = now }
        until = max(until, sentAt + Self.validity)
    }

    /// The same where news may have been missed up to `moment`.
    public func restarted(at moment: Moment) -> Contact { Contact(since: max(since, moment), until: until) }

    /// The way news comes is broken.
    public mutating func lose() { since = Moment(milliseconds: .max) }
}
