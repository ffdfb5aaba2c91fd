import ChatDomain
import ChatProtocol

/// An operator's decisions about rooms, sessions and presence.
public struct ChatConfiguration: Sendable {
    /// The name of this instance, unique in its fleet.
    public var instance: InstanceID
    /// The version of the program.
    public var version = ""
    /// The limits of what clients send.
    public var commands = CommandLimits()
    /// The limits and times of rooms.
    public var roomLimits = RoomLimits()
    /// Whether joining a room that does not exist creates it.
    public var createsRoomsOnJoin = true
    /// Drafts waiting for the store at most, per shard, in bytes; past that, sends are refused.
    public var maximumPendingBytes = 64 << 20
    /// Rooms one session may be in at most.
    public var maximumRoomsPerSession = 1000
    /// Messages a second and user, bursts of three times that; 0 for no limit.
    public var messageRate = 20
    /// How long a connection may stay unauthenticated where a key is configured.
    public var authenticationTimeout: Duration = .seconds(10)
    /// Whether every caller needs a token or a key.
    public var requiresAuthentication = false
    /// The rules of presence.
    public var presence = PresenceSettings()
    /// Bytes of a file at most.
    public var maximumFileBytes: Int64 = 10 << 20
    /// How long messages are kept in rooms that say nothing of it.
    public var retention = RetentionRule(days: 0)
    /// How long the audit trail reaches back.
    public var audit = AuditRetention()
    /// Sizes of messages in bytes that are worth compressing, and soon compressed.
    public var compressedSizes: ClosedRange<Int> = 256...65_536
    /// Bytes that may wait for a client before droppable frames to it are left out.
    public var softOutputLimit = 256 * 1024

    /// The defaults, for an instance of this name.
    public init(instance: InstanceID) { self.instance = instance }
}
