public import ChatDomain
import Telemetry

/// What dead instances left behind, and the figures of what waits.
extension OutboxRelay {
    private static let upkeepInterval = Duration.seconds(5)
    /// The pause after a round, in lengths of that round, where a long backlog or a slow store makes it long.
    private static let restPerRound = 19

    /// Takes over what a dead instance has pending, at once.
    ///
    /// - Parameter dead: an instance whose lease is over: a live one would publish the same events too.
    public func adopt(from dead: InstanceID) async {
        guard dead != instance else { return }
        do throws(StoreError) {
            let count = try await outbox.adoptEvents(of: dead, by: instance)
            metrics.adopted.add(count)
            if count > 0 { wake() }
        } catch {
            // The next round of upkeep finds them.
            storeTrouble.warning("a dead instance's events cannot be taken over", ["reason": "\(error)"])
        }
    }

    func keepUp() async {
        while !Task.isCancelled {
            let took = await ContinuousClock().measure {
                await adoptOrphans()
                await measure()
            }
            try? await Task.sleep(for: max(Self.upkeepInterval, took * Self.restPerRound))
        }
    }

    private func adoptOrphans() async {
        guard let owners = try? await outbox.eventOwners() else { return }
        for owner in owners where owner != instance {
            if await !directory.isAlive(owner) { await adopt(from: owner) }
        }
    }

    private func measure() async {
        guard let (count, oldest) = try? await outbox.backlog() else { return }
        metrics.backlog(count: count, oldest: oldest)
    }
}
