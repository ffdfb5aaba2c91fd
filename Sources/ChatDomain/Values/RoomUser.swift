/// A user as a room shows them.
public struct RoomUser: Hashable, Sendable {
    public var userID: UserID
    public var username: String

    public init(userID: UserID, username: String) {
        self.userID = userID
        self.username = username
    }

    /// Whether a name was given; a user without one is shown by the id.
    public var isNamed: Bool { username != userID.value }

    /// The same user as another session or instance says; a name that was given stays where none is given.
    mutating func update(_ other: RoomUser) {
        if other.isNamed || !isNamed { self = other }
    }
}
