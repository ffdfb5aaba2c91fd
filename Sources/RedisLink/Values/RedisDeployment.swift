/// The servers of a deployment of Redis, and how the one that takes commands is found.
public enum RedisDeployment: Hashable, Sendable {
    /// One server, or a name that leads to the primary of several.
    case single(RedisEndpoint)

    /// How to sign in at the servers.
    public var access: RedisAccess {
        switch self {
        case .single(let endpoint): endpoint.access
        }
    }
}

extension RedisDeployment: CustomStringConvertible {
    /// For operators; without credentials.
    public var description: String {
        switch self {
        case .single(let endpoint): "\(endpoint)"
        }
    }
}
