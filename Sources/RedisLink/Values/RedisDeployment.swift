/// The servers of a deployment of Redis, and how the one that takes commands is found.
public enum RedisDeployment: Hashable, Sendable {
    /// One server, or a name that leads to the primary of several.
    case single(RedisEndpoint)
    /// A primary and its replicas, watched by sentinels that say which of them is the primary.
    case sentinel(RedisSentinels)
    /// Redis Cluster. The addresses are of nodes to begin with, at least one; the nodes themselves name the others.
    case cluster([RedisAddress], RedisAccess)

    /// How to sign in at the servers.
    public var access: RedisAccess {
        switch self {
        case .single(let endpoint): endpoint.access
        case .sentinel(let sentinels): sentinels.access
        case .cluster(_, let access): access
        }
    }
}

extension RedisDeployment: CustomStringConvertible {
    /// For operators; without credentials.
    public var description: String {
        switch self {
        case .single(let endpoint): "\(endpoint)"
        case .sentinel(let sentinels): "\(sentinels)"
        case .cluster(let seeds, let access):
            "\(seeds.map { "\($0)" }.joined(separator: ", ")), a cluster\(access.tls == nil ? "" : ", over TLS")"
        }
    }
}
