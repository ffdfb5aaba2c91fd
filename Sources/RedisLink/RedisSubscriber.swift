public import EventLoop

/// Channels of one Redis server over a connection of its own that restores itself and them. May be used from any thread.
/// It lives until `close`, also when nobody holds it any more.
public final class RedisSubscriber: Sendable {
    private let gate: LoopHandle<SubscriberConnection>
    private let current: StateCell

    /// Begins to connect.
    ///
    /// - Parameters:
    ///   - loop: where the connection lives; it must run until `close` has returned. By default a thread of its own.
    ///   - stateChanged: called on the loop; never twice in a row with the same state.
    ///   - event: called on the loop; must not block.
    public convenience init(
        _ endpoint: RedisEndpoint, options: RedisOptions = RedisOptions(), on loop: EventLoop? = nil,
        stateChanged: @escaping @Sendable (RedisState) -> Void = { _ in },
        event: @escaping @Sendable (RedisSubscriberEvent) -> Void
    ) {
        let shared = SharedLoop(loop, name: "redis-sub")
        self.init(endpoint, options: options, on: shared, stateChanged: stateChanged, event: event)
    }

    init(
        _ endpoint: RedisEndpoint, options: RedisOptions, on shared: SharedLoop,
        stateChanged: @escaping @Sendable (RedisState) -> Void,
        event: @escaping @Sendable (RedisSubscriberEvent) -> Void
    ) {
        let current = StateCell(stateChanged)
        self.current = current
        gate = LoopHandle(shared) { bound, loop in
            let wire = RedisConnection(endpoint, options, on: loop) { event in bound.post { $0.handle(event) } }
            return SubscriberConnection(wire, report: { current.set($0) }, deliver: event)
        }
    }

    /// How the connection stood a moment ago; connected only with all subscriptions restored.
    public var state: RedisState { current.value }

    /// Wants these channels from now on, over reconnects too. Each call is answered by a `subscribed` for every channel,
    /// unless it is unsubscribed before.
    public func subscribe(_ channels: [[UInt8]]) { gate.post { $0.subscribe(channels) } }

    /// Wants them no longer. What is under way already is not delivered.
    public func unsubscribe(_ channels: [[UInt8]]) { gate.post { $0.unsubscribe(channels) } }

    /// Ends a standing connection; another follows by itself.
    func leave(_ reason: String) { gate.post { $0.leave(reason) } }

    /// Ends the connection; nothing is delivered after this has returned.
    public func close() async { await gate.close { $0.close() } }
}
