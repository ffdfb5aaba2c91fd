/// The limits a room works under.
public struct RoomLimits: Sendable {
    /// Past this, users that join an open room take part while connected and are not recorded.
    public var maximumParticipants = 5000
    /// How long a user whose last session broke off still counts as present.
    public var gracePeriod: Duration = .seconds(5)
    /// How long a request waits for the store before it is refused as retryable.
    public var storeTimeout: Duration = .seconds(5)
    /// Above this many users present, joins and leaves show as counts, once a second.
    public var announcedUsers = 200
    /// Whether users see their friends only. Joins and leaves are then announced one by one in big rooms too, each to few users.
    public var isForFriendsOnly = false
    /// How old a message may be that its author edits or deletes; nil for any age.
    public var editWindow: Duration?

    public init() {}
}
