/// The state of a session whose connection broke. With it the client continues where it stopped.
public struct RecoverableSession: Hashable, Sendable {
    /// Messages of one room that were sent together.
    public struct Sent: Hashable, Sendable {
        public var room: RoomID
        public var numbers: ClosedRange<SequenceNumber>

        public init(room: RoomID, numbers: ClosedRange<SequenceNumber>) {
            self.room = room
            self.numbers = numbers
        }
    }

    public var id: SessionID
    public var user: RoomUser
    public var profile: Profile
    /// Whether a verified token named the user's id, and whether it named the username.
    public var isVerified: Bool
    public var isUsernameVerified: Bool
    public var tokenExpiresAt: Timestamp?
    /// The rooms it was in, each with the number of the newest message sent to it.
    public var newest: [RoomID: SequenceNumber]
    /// The messages it was sent last, in order.
    public var sent: [Sent]

    public init(
        id: SessionID, user: RoomUser, profile: Profile, isVerified: Bool, isUsernameVerified: Bool,
        tokenExpiresAt: Timestamp?, newest: [RoomID: SequenceNumber], sent: [Sent]
    ) {
        self.id = id
        self.user = user
        self.profile = profile
        self.isVerified = isVerified
        self.isUsernameVerified = isUsernameVerified
        self.tokenExpiresAt = tokenExpiresAt
        self.newest = newest
        self.sent = sent
    }

    /// The messages sent up to and with `offset`: the part of the stream its client is known to have.
    public func sent(upTo offset: MessageOffset) -> [Sent] {
        guard let position = position(of: offset) else { return [] }
        var sent = Array(sent[...position])
        sent[position].numbers = sent[position].numbers.lowerBound...offset.number
        return sent
    }

    private func position(of offset: MessageOffset) -> Int? {
        sent.lastIndex { $0.room == offset.room && $0.numbers.contains(offset.number) }
    }

    /// Up to which number a client that stopped at `offset` has seen each room; nil when that is not certain.
    public func seen(upTo offset: MessageOffset) -> [RoomID: SequenceNumber]? {
        guard newest[offset.room] != nil, let position = position(of: offset) else { return nil }
        var seen = newest
        for missed in sent[(position + 1)...].reversed() where seen[missed.room] != nil {
            seen[missed.room] = missed.numbers.lowerBound - 1
        }
        seen[offset.room] = offset.number
        return seen
    }
}
