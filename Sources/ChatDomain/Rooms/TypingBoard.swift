/// The users that are typing. The server itself ends what a client forgets to end.
public struct TypingBoard: Sendable {
    /// How long one `typing` lasts.
    public static let duration: Duration = .seconds(6)

    private var typists: [UserID: (user: RoomUser, until: Moment)] = [:]

    public init() {}

    public var isEmpty: Bool { typists.isEmpty }

    /// Whether this changed what others see; repeats only prolong.
    public mutating func set(_ user: RoomUser, isTyping: Bool, at now: Moment) -> Bool {
        guard isTyping else { return typists.removeValue(forKey: user.userID) != nil }
        return typists.updateValue((user, now + Self.duration), forKey: user.userID) == nil
    }

    public var nextExpiry: Moment? { typists.values.map(\.until).min() }

    /// Ends the typing of users whose time is over, and returns them.
    public mutating func expire(at now: Moment) -> [RoomUser] {
        let over = typists.values.filter { $0.until <= now }.map(\.user)
        for user in over { typists[user.userID] = nil }
        return over
    }
}
