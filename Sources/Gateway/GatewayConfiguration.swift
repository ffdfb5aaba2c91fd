import ChatProtocol
public import ChatDomain
public import Engine
public import EventLoop
public import Identity

/// What the gateway is set up with.
public struct GatewayConfiguration: Sendable {
    public var instance: InstanceID
    public var engine = EngineConfiguration()
    public var commands = CommandLimits()
    public var roomLimits = RoomLimits()
    public var createsRoomsOnJoin = true
    /// Drafts waiting for the store at most, per shard, in bytes; past that, sends are refused.
    public var maximumPendingBytes = 64 << 20
    /// Rooms one session may be in at most.
    public var maximumRoomsPerSession = 1000
    /// Messages a second and user, bursts of three times that; 0 for no limit.
    public var messageRate = 20
    /// Connections a second and address, bursts of four times that; 0 for no limit.
    public var connectionRate = 50
    /// How long a connection may stay unauthenticated where a key is configured, in milliseconds.
    public var authenticationMilliseconds: Int64 = 10_000
    public var requiresAuthentication = false
    public var origins = OriginPolicy.sameOrigin
    /// Whether requests have to name the server as only this machine does, or by a listed origin: where whoever reaches
    /// the port is believed, and the port is on loopback.
    public var believesLoopbackNamesOnly = false
    /// The same for the internal listener.
    public var internalBelievesLoopbackNamesOnly = false
    /// Whether the address is a proxy's, whose `X-Forwarded-For` or `Forwarded` is believed.
    public var isTrustedProxy: @Sendable (IPAddress) -> Bool = { _ in false }
    public var serviceKey: ServiceKey?
    /// Whether services on the internal listener have to show the service key.
    public var internalRequiresKey = true
    public var presence = PresenceSettings()
    /// Files served at `/` and `/client/`; nil when the page is not served.
    public var client: StaticFiles?

    public init(instance: InstanceID) { self.instance = instance }
}
