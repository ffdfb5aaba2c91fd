/// What the operator decided about presence.
public struct PresenceSettings: Sendable {
    /// Whether users see their friends only, instead of everybody.
    public var isForFriendsOnly = false
    /// Whether REST tells who is online to callers without a name.
    public var isPublic = false
    /// How long a user whose last session broke off still counts as there, in milliseconds.
    public var graceMilliseconds: Int64 = 5000
    /// After how long without a sign from its client a session counts as away, in milliseconds; nil for never.
    public var awayAfterMilliseconds: Int64?

    /// Whether this instance's store is its own: it then keeps when users of other instances were seen as well.
    public var storesForItself = false

    public init() {}
}
