/// Receives what is published on channels: over one connection, or those to the nodes of a cluster. Confined to its loop.
protocol SubscriptionChannel: AnyObject {
    func subscribe(_ channels: [SubscriptionTracker.Channel])
    func unsubscribe(_ channels: [SubscriptionTracker.Channel])
    /// - Parameter node: the node of a cluster that the event concerns.
    func handle(_ event: RedisConnectionEvent, of node: RedisAddress?)
    /// Ends the connection if it is to this server, which is not the primary any more.
    func leave(_ peer: RedisPeer, _ reason: String)
    func close()
}
