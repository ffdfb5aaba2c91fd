/// The servers of a deployment of Redis, and how the one that takes commands is found.
public enum RedisDeployment: Hashable, Sendable {
    /// One server, or a name that leads to the primary of several.
    case single(RedisEndpoint)
    /// A primary and its replicas, watched by sentinels that say which of them is the primary.
    case sentinel(RedisSentinels)

    /// How to sign in at the servers.
    public var access: RedisAccess {
        switch self {
        case .single(let endpoint): endpoint.access
        case .sentinel(let sentinels): sentinels.access
        }
    }
}

extension RedisDeployment: CustomStringConvertible {
    /// For operators; without credentials.
    public var description: String {
        switch self {
        case .single(let endpoint): "\(endpoint)"
        case .sentinel(let sentinels): "\(sentinels)"
        }
    }
}
