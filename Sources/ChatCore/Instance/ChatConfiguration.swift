import ChatDomain
import ChatProtocol

/// What an operator decided about rooms, sessions and presence.
public struct ChatConfiguration: Sendable {
    public var instance: InstanceID
    public var commands = CommandLimits()
    public var roomLimits = RoomLimits()
    public var createsRoomsOnJoin = true
    /// Drafts waiting for the store at most, per shard, in bytes; past that, sends are refused.
    public var maximumPendingBytes = 64 << 20
    /// Rooms one session may be in at most.
    public var maximumRoomsPerSession = 1000
    /// Messages a second and user, bursts of three times that; 0 for no limit.
    public var messageRate = 20
    /// How long a connection may stay unauthenticated where a key is configured.
    public var authenticationTimeout: Duration = .seconds(10)
    public var requiresAuthentication = false
    public var presence = PresenceSettings()
    /// Sizes of messages in bytes that are worth compressing, and soon compressed.
    public var compressedSizes: ClosedRange<Int> = 256...65_536
    /// Bytes a client may leave untaken before what it can do without is left out.
    public var softOutputLimit = 256 * 1024

    public init(instance: InstanceID) { self.instance = instance }
}
