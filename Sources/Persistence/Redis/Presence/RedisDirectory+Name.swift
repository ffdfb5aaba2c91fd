import ChatDomain
import RedisLink
import Synchronization

/// Whether this instance's name is its own.
extension RedisDirectory {
    /// How long Redis is waited for at the start, in milliseconds; without it nothing can be said.
    private static let connecting: Int64 = 3000
    private static let pause: Duration = .milliseconds(50)

    /// Whether another live process goes by this instance's name: one listens under it, and its lease moves on. An earlier life
    /// of this instance, which ended too suddenly to say so, does neither for long.
    ///
    /// To be asked before `start`. Takes three heartbeats where somebody listens, and no time otherwise.
    public func isNameTaken() async -> Bool {
        _ = await until(Self.connecting) { self.client.state != .connecting }
        guard await listeners() > 0 else { return false }
        let lease = await lease()
        let isDecided = await until(Self.lease * 3 / 4) {
            if await self.listeners() == 0 { return true }
            return await self.lease() != lease
        }
        guard isDecided else { return false }
        return await listeners() > 0
    }

    private func listeners() async -> Int64 {
        let channel = RedisArgument(channels.inbox(of: instance))
        return (try? await client.send(["PUBSUB", "NUMSUB", channel]).array?.last?.integer) ?? 0
    }

    private func lease() async -> RedisValue? {
        try? await client.send(["ZSCORE", Keys.instances, RedisArgument(instance.value)])
    }

    /// False when the condition does not hold within the time.
    private func until(_ milliseconds: Int64, _ condition: @Sendable () async -> Bool) async -> Bool {
        let end = clock().monotonic + milliseconds
        while await !condition() {
            guard clock().monotonic < end else { return false }
            try? await Task.sleep(for: Self.pause)
        }
        return true
    }

    /// Whether another process listens under this name, as the last two comparings told: a connection of this instance's own
    /// that broke may be kept by Redis for a moment.
    public var sharesName: Bool { state.withLock { $0.doubles > 1 } }
}
