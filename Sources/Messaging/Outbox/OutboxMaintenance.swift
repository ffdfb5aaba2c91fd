import ChatDomain
import Telemetry

/// Takes over what dead instances left pending, and measures the backlog of the whole fleet.
struct OutboxMaintenance: Sendable {
    private static let interval = Duration.seconds(5)
    /// The pause after a round, in lengths of that round: a long backlog or a slow store makes rounds long.
    private static let pausePerRound = 19

    private let instance: InstanceID
    private let outbox: any Outbox
    private let isAlive: @Sendable (InstanceID) async -> Bool
    private let metrics: RelayMetrics
    private let logger: OccasionalLogger
    private let adopted: @Sendable () -> Void

    /// - Parameters:
    ///   - instance: takes the events over.
    ///   - adopted: called after events were taken over.
    init(
        instance: InstanceID, outbox: any Outbox, isAlive: @escaping @Sendable (InstanceID) async -> Bool,
        metrics: RelayMetrics, logger: OccasionalLogger, adopted: @escaping @Sendable () -> Void
    ) {
        self.instance = instance
        self.outbox = outbox
        self.isAlive = isAlive
        self.metrics = metrics
        self.logger = logger
        self.adopted = adopted
    }

    /// Repeats until its task is cancelled.
    func run() async {
        while !Task.isCancelled {
            let duration = await ContinuousClock().measure {
                await adoptFromDeadInstances()
                await measureBacklog()
            }
            try? await Task.sleep(for: max(Self.interval, duration * Self.pausePerRound))
        }
    }

    func adopt(from dead: InstanceID) async {
        guard dead != instance else { return }
        do throws(StoreError) {
            let count = try await outbox.adoptEvents(of: dead, to: .broker, by: instance)
            metrics.adopted.add(count)
            if count > 0 { adopted() }
        } catch {
            // The next round tries again.
            logger.warning("a dead instance's events cannot be taken over", ["reason": "\(error)"])
        }
    }

    private func adoptFromDeadInstances() async {
        guard let owners = try? await outbox.eventOwners(to: .broker) else { return }
        for owner in owners where owner != instance {
            if await !isAlive(owner) { await adopt(from: owner) }
        }
    }

    private func measureBacklog() async {
        guard let (count, oldest) = try? await outbox.backlog(to: .broker) else { return }
        metrics.setBacklog(count: count, oldest: oldest)
    }
}
