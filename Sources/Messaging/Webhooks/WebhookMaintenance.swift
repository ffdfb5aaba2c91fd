import ChatDomain
import Telemetry

/// Takes over what dead instances owed, keeps the numbers of deliveries within their bounds, and measures them.
struct WebhookMaintenance: Sendable {
    private static let interval = Duration.seconds(5)
    /// The pause after a round, in lengths of that round: a slow store makes rounds long.
    private static let pausePerRound = 19
    /// Deliveries of one receiver that may wait.
    private static let maximumWaiting = 100_000
    /// Dead letters of all receivers that are kept.
    private static let maximumDead = 10_000

    let instance: InstanceID
    let store: any Outbox & WebhookStore
    let receivers: [WebhookReceiver]
    let fanOut: WebhookFanOut
    let isAlive: @Sendable (InstanceID) async -> Bool
    let metrics: WebhookMetrics
    let clock: @Sendable () -> Timestamp
    let trouble: OccasionalLogger
    /// Called after deliveries were taken over.
    let adopted: @Sendable () -> Void

    /// Repeats until its task is cancelled.
    func run() async {
        while !Task.isCancelled {
            let duration = await ContinuousClock().measure { await performRound() }
            try? await Task.sleep(for: max(Self.interval, duration * Self.pausePerRound))
        }
    }

    func performRound() async {
        do throws(StoreError) {
            for owner in try await owners() where owner != instance {
                if await !isAlive(owner) { try await adoptAll(of: owner) }
            }
            let active = Set(receivers.lazy.filter { !$0.isDisabled }.map(\.id))
            let abandoned = try await store.abandonDeliveries(
                of: instance, notTo: active, at: clock(), failure: "the receiver is disabled, or not configured")
            if abandoned > 0 { trouble.warning("webhook deliveries became dead letters", ["count": abandoned]) }
            metrics.trimmed.add(try await store.trimDeadLetters(to: Self.maximumDead))
            let counts = try await store.deliveryCounts()
            fanOut.setFull(Set(counts.filter { $0.value.waiting >= Self.maximumWaiting }.keys))
            let backlog = try await store.backlog(to: .webhooks).count
            metrics.setCounts(counts, of: receivers.map(\.id), backlog: backlog)
        } catch {
            trouble.warning("webhook deliveries cannot be counted", ["reason": error.reason])
        }
    }

    /// Takes over what a dead instance owed.
    func adopt(from dead: InstanceID) async {
        guard dead != instance else { return }
        // The next round tries again.
        do throws(StoreError) { try await adoptAll(of: dead) } catch {
            trouble.warning("a dead instance's webhooks cannot be taken over", ["reason": error.reason])
        }
    }

    private func owners() async throws(StoreError) -> Set<InstanceID> {
        Set(try await store.eventOwners(to: .webhooks)).union(try await store.deliveryOwners())
    }

    private func adoptAll(of dead: InstanceID) async throws(StoreError) {
        let entries = try await store.adoptEvents(of: dead, to: .webhooks, by: instance)
        let deliveries = try await store.adoptDeliveries(of: dead, by: instance)
        metrics.adopted.add(entries + deliveries)
        if entries + deliveries > 0 { adopted() }
    }
}
