/// Sentinels that watch one primary and its replicas.
public struct RedisSentinels: Hashable, Sendable {
    /// At least one. All of them are asked.
    public var sentinels: [RedisAddress]
    /// How to sign in at the sentinels, which have users and passwords of their own. The database is not used.
    public var sentinelAccess: RedisAccess
    /// The name under which the sentinels know the primary.
    public var primaryName: String
    /// How to sign in at the servers.
    public var access: RedisAccess

    public init(
        sentinels: [RedisAddress], sentinelAccess: RedisAccess = RedisAccess(), primaryName: String,
        access: RedisAccess = RedisAccess()
    ) {
        self.sentinels = sentinels
        self.sentinelAccess = sentinelAccess
        self.primaryName = primaryName
        self.access = access
    }
}

extension RedisSentinels: CustomStringConvertible {
    public var description: String {
        "\(primaryName)\(access) of the sentinels \(sentinels.map(\.description).joined(separator: ", "))"
    }
}

/// What the sentinels say, as last heard.
public struct RedisSentinelStatus: Hashable, Sendable {
    /// The address that is taken for the primary's; nil while none is known.
    public let primary: RedisAddress?
    /// How many sentinels there are.
    public let sentinels: Int
    /// How many of them named that primary when last asked. 0 means that a fail-over is not seen.
    public let agreeing: Int
    /// A sentence about each sentinel that gives no answer, does not know the primary's name or names another address. For operators,
    /// without secrets.
    public let problems: [String]

    public init(primary: RedisAddress?, sentinels: Int, agreeing: Int, problems: [String]) {
        self.primary = primary
        self.sentinels = sentinels
        self.agreeing = agreeing
        self.problems = problems
    }
}
