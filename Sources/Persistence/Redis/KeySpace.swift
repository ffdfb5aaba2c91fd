import RedisLink

/// The prefix of keys that are the service's own. In a cluster all keys of one space are in one slot, so that a script may touch
/// several of them.
struct KeySpace: Sendable {
    /// What kept sessions are spread over in a cluster.
    private static let recoveryParts = 16

    let prefix: String
    let isCluster: Bool

    /// The space of presence.
    init(of client: RedisClient) {
        isCluster = client.isCluster
        prefix = isCluster ? "{chat-service}:" : "chat-service:"
    }

    private init(part: Int) {
        isCluster = true
        prefix = "{chat-service:\(part)}:"
    }

    /// The spaces of kept sessions; one outside a cluster.
    static func recovery(of client: RedisClient) -> [KeySpace] {
        client.isCluster ? (0..<recoveryParts).map { KeySpace(part: $0) } : [KeySpace(of: client)]
    }

    /// The keys that every script is given; see common.lua.
    var scriptKeys: [RedisArgument] { [RedisArgument(prefix), RedisArgument(prefix + "-")] }
}
