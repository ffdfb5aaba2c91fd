internal import EventLoop

/// Takes commands for Redis: one connection, or those to the nodes of a cluster. Confined to its loop.
protocol CommandChannel: AnyObject {
    var loop: EventLoop { get }
    /// Never blocks; `handler` is called once, at once when the command cannot be sent.
    func send(_ command: RedisCommand, _ handler: @escaping CommandPipeline.Handler)
    /// - Parameter node: the node of a cluster that the event concerns.
    func handle(_ event: RedisConnectionEvent, of node: RedisAddress?)
    func close()
}

extension CommandChannel {
    /// As `send`, with a shorter time limit: the caller gets a timeout after `limit`. The answer is still awaited, and dropped.
    func send(_ command: RedisCommand, within limit: Duration, _ handler: @escaping CommandPipeline.Handler) {
        let loop = loop
        var waiting: CommandPipeline.Handler? = handler
        func finish(_ reply: CommandPipeline.Reply) {
            let handler = waiting
            waiting = nil
            handler?(reply)
        }
        let timer = loop.schedule(after: limit) { finish(.failure(.timeout)) }
        send(command) { reply in
            loop.cancel(timer)
            finish(reply)
        }
    }
}
