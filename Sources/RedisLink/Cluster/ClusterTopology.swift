/// What is known of a cluster at some moment.
struct ClusterTopology: Equatable, Sendable {
    var map: SlotMap
    /// Whether the cluster has sharded channels, which came with Redis 7.0.
    var hasShardedChannels: Bool

    /// Asked of one node. The second tells by its answer whether the node has sharded channels.
    static let questions: [RedisCommand] = [["CLUSTER", "SLOTS"], ["COMMAND", "INFO", "SPUBLISH"]]

    init(map: SlotMap, hasShardedChannels: Bool) {
        self.map = map
        self.hasShardedChannels = hasShardedChannels
    }

    /// - Parameter replies: to `questions`.
    /// - Returns: nil when they say nothing of use.
    init?(_ replies: [Result<RedisValue, RedisError>], from node: RedisAddress) {
        guard replies.count == 2, case .success(let slots) = replies[0], let map = SlotMap(slots, from: node) else {
            return nil
        }
        self.map = map
        if case .success(let info) = replies[1], let first = info.array?.first {
            hasShardedChannels = !(first.array ?? []).isEmpty
        } else {
            hasShardedChannels = false
        }
    }
}
