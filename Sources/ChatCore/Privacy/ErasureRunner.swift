import ChatDomain
import Synchronization
import Telemetry

/// Does the erasures that the store has jobs for, one at a time, and asks for one of expired messages now and then.
///
/// Any instance takes a job that no instance has a lease of. Leases use wall clocks, which may differ: two instances at one job repeat
/// each other's steps, which does no harm.
package final class ErasureRunner: Sendable {
    static let lease: Duration = .seconds(10)
    /// Between two looks for a job, and before a failed step is taken again.
    private static let interval: Duration = .seconds(1)
    /// Between two parts of a step, so that commits come first.
    private static let pause: Duration = .milliseconds(5)
    /// Between two erasures of expired messages.
    private static let retentionInterval: Duration = .seconds(3600)

    private let services: Services
    private let task = Mutex<Task<Void, Never>?>(nil)
    private let trouble: OccasionalLogger

    package init(services: Services) {
        self.services = services
        trouble = OccasionalLogger(services.logger)
    }

    package func start() {
        let task = Task { await run() }
        self.task.withLock { $0 = task }
    }

    /// What is under way goes on when an instance starts.
    package func stop() { task.withLock { $0 }?.cancel() }

    private func run() async {
        var retentionDue = services.clock.now.monotonic
        while !Task.isCancelled {
            let now = services.clock.now.monotonic
            if retentionDue <= now, await requestRetention() { retentionDue = now + Self.retentionInterval }
            let isDone = await takeJob()
            if !isDone { try? await Task.sleep(for: Self.interval) }
        }
    }

    /// Rooms may have days of their own where the deployment has none.
    ///
    /// - Returns: false when the store could not take the job.
    private func requestRetention() async -> Bool {
        (try? await services.requestErasure(of: .expiredMessages)) != nil
    }

    /// Goes on with a job until it is finished or fails.
    ///
    /// - Returns: whether there was one and it was finished.
    private func takeJob() async -> Bool {
        let owner = services.configuration.instance
        do throws(StoreError) {
            let now = services.clock.now.wall
            guard var job = try await services.store.claimErasure(by: owner, at: now, until: leaseEnd(now)) else {
                return false
            }
            let eraser = Eraser(services: services)
            while !Task.isCancelled {
                if job.step == .finish {
                    try await services.store.removeErasure(job.id)
                    logEnd(of: job)
                    return true
                }
                job = try await eraser.perform(job)
                let end = leaseEnd(services.clock.now.wall)
                guard try await services.store.save(job, by: owner, until: end) else { return false }
                try? await Task.sleep(for: Self.pause)
            }
        } catch {
            trouble.warning("an erasure cannot go on", ["reason": "\(error)"])
        }
        return false
    }

    /// Expired messages are looked for at every start and every hour, mostly in vain; that is no news.
    private func logEnd(of job: ErasureJob) {
        guard job.subject == .expiredMessages else {
            return services.logger.notice("erasure finished", ["id": "\(job.id)", "messages": job.messages])
        }
        if job.messages > 0 { services.logger.notice("expired messages erased", ["messages": job.messages]) }
    }

    private func leaseEnd(_ now: Timestamp) -> Timestamp {
        Timestamp(milliseconds: now.milliseconds + Self.lease.wholeMilliseconds)
    }
}

extension Services {
    /// Stores a job, unless there is one of this subject.
    package func requestErasure(of subject: ErasureSubject) async throws(StoreError) -> ErasureJob {
        let now = clock.now.wall
        return try await store.addErasure(ErasureJob(id: messageID(at: now), subject, at: now))
    }
}
