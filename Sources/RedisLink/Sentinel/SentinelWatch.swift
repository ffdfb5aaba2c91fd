/// Follows where the sentinels say that the primary is. May be used from any thread. It asks until `close`; the last known location
/// can still be read afterwards.
final class SentinelWatch: ServerLocator {
    private let current: StateCell<SentinelReports>
    private let handle: LoopHandle<SentinelPoll>

    /// Begins to ask.
    init(_ sentinels: RedisSentinels, _ options: RedisOptions, on shared: SharedLoop) {
        let current = StateCell(SentinelReports(sentinels))
        self.current = current
        handle = LoopHandle(shared) { bound, loop in
            SentinelPoll(
                sentinels, options, on: loop, post: { event, index in bound.post { $0.handle(event, of: index) } },
                publish: { current.set($0) })
        }
    }

    var location: ServerLocation { current.value.location }
    var status: RedisSentinelStatus { current.value.status }

    func observe(_ changed: @escaping @Sendable () -> Void) { current.add { _ in changed() } }

    func observeStatus(_ observer: @escaping @Sendable (RedisSentinelStatus) -> Void) {
        current.add { observer($0.status) }
    }

    func close() async { await handle.close { $0.close() } }
}
