/// An operator's decisions about presence.
public struct PresenceSettings: Sendable {
    /// Whether users see their friends only, instead of all users.
    public var isForFriendsOnly = false
    /// Whether REST shows online users to callers without a name.
    public var isPublic = false
    /// How long a user stays online after the last session broke off.
    public var grace: Duration = .seconds(5)
    /// After how long without a sign from its client a session counts as away; nil for never.
    public var awayAfter: Duration?

    /// Whether this instance's store is its own: it then keeps when users of other instances were seen as well.
    public var storesForItself = false

    /// The defaults.
    public init() {}
}
