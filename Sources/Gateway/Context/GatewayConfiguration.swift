public import ChatCore
public import ChatDomain
public import Engine
public import EventLoop
public import Identity

/// The configuration of a gateway: the chat's, the engine's, and its own.
public struct GatewayConfiguration: Sendable {
    /// The rules of rooms, sessions and presence.
    public var chat: ChatConfiguration
    /// The limits and times of connections.
    public var engine = EngineConfiguration()
    /// Connections a second and address, bursts of four times that; 0 for no limit.
    public var connectionRate = 50
    /// Which pages of other sites may talk to the server.
    public var origins = OriginPolicy.sameOrigin
    /// Whether requests have to name the server as only this machine does, or by a listed origin: where trusted mode
    /// believes every caller that reaches the port, and the port is on loopback.
    public var believesLoopbackNamesOnly = false
    /// The same for the internal listener.
    public var internalBelievesLoopbackNamesOnly = false
    /// Whether the address is a proxy's, whose `X-Forwarded-For` or `Forwarded` is believed.
    public var isTrustedProxy: @Sendable (IPAddress) -> Bool = { _ in false }
    /// The key that other services show; nil where no key is accepted.
    public var serviceKey: ServiceKey?
    /// The role of a token that makes its user an administrator; nil where no token does.
    public var adminRole: String?
    /// The page for operators at `/admin`; nil when it is not served.
    public var adminPage: StaticFiles?
    /// Whether services on the internal listener have to show the service key.
    public var internalRequiresKey = true
    /// Files served at `/` and `/client/`; nil when the page is not served.
    public var client: StaticFiles?

    /// The defaults, for an instance of this name.
    public init(instance: InstanceID) { chat = ChatConfiguration(instance: instance) }

    /// The chat's configuration with the engine's limits, which rooms and sessions keep to.
    var chatWithEngineLimits: ChatConfiguration {
        var chat = chat
        chat.softOutputLimit = engine.softOutputLimit
        chat.compressedSizes = engine.deflateThreshold...max(engine.deflateThreshold, engine.deflateCeiling)
        return chat
    }
}
