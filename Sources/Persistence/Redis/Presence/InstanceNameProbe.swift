import ChatDomain
import RedisLink

/// Finds out whether another live process has this instance's name: one listens under it, and renews its lease. An earlier life
/// of this instance that ended without closing does neither for long.
struct InstanceNameProbe: Sendable {
    /// How long the connection to Redis is waited for. Without Redis the name counts as free.
    private static let connectTimeout: Duration = .seconds(3)
    /// In this time a live process renews its lease at least twice.
    private static let observationTime: Duration = DirectoryMachine.heartbeat * 3
    private static let pollInterval: Duration = .milliseconds(50)

    let instance: InstanceID
    let channels: PresenceChannels
    let client: RedisClient
    let clock: @Sendable () -> Now

    /// Takes up to three heartbeats where another process listens, and no time otherwise.
    func isNameTaken() async -> Bool {
        _ = await waits(atMost: Self.connectTimeout) { client.state != .connecting }
        guard await listeners() > 0 else { return false }
        let lease = await lease()
        let isDecided = await waits(atMost: Self.observationTime) {
            if await listeners() == 0 { return true }
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
        try? await client.send(["ZSCORE", PresenceKeys(space: channels.space).instances, RedisArgument(instance.value)])
    }

    /// False when the condition does not hold within the time.
    private func waits(atMost limit: Duration, _ condition: () async -> Bool) async -> Bool {
        let end = clock().monotonic + limit
        while await !condition() {
            guard clock().monotonic < end else { return false }
            try? await Task.sleep(for: Self.pollInterval)
        }
        return true
    }
}
