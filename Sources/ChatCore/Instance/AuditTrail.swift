import ChatDomain
import Crypto
import Synchronization
import Telemetry

/// An act of management that is to be recorded, with its actor.
package struct AuditAct: Sendable {
    package var action: AuditEntry.Action
    package var outcome = AuditEntry.Outcome.done
    package var isService = false
    package var actor: UserID?
    package var address: String?
    /// The account, at its host, that the caller says it runs under.
    package var account: String?
    package var user: UserID?
    package var room: RoomID?
    package var message: MessageID?
    package var detail: String?

    package init(_ action: AuditEntry.Action, outcome: AuditEntry.Outcome = .done, detail: String? = nil) {
        self.action = action
        self.outcome = outcome
        self.detail = detail
    }
}

extension AuditAct {
    /// What the entry says of the act beside its members.
    fileprivate var details: String? {
        let parts = [detail, account.map { "by account \($0)" }].compactMap(\.self)
        return parts.isEmpty ? nil : parts.joined(separator: "; ")
    }
}

/// How long the audit trail reaches back.
public struct AuditRetention: Sendable {
    /// Entries that are older are removed.
    public var age: Duration
    /// Of more entries the oldest are removed.
    public var count: Int

    public init(age: Duration = .seconds(365 * 86_400), count: Int = 100_000) {
        self.age = age
        self.count = count
    }
}

/// Records acts of management in the store, and keeps those that the store does not take until it does. See ADR 43.
package final class AuditTrail: Sendable {
    /// Entries that wait for the store at most; past that the newest is dropped, with a line in the log.
    private static let maximumWaiting = 1000
    private static let retryInterval: Duration = .seconds(5)
    private static let trimInterval: Duration = .seconds(3600)
    /// Refused logins are recorded once in this time for an address, and not more than so many in an hour.
    private static let refusalInterval: Duration = .seconds(600)
    private static let refusalsPerHour = 100

    private struct State {
        var ids: MessageIDGenerator
        var waiting: [AuditEntry] = []
        /// The store is at work on the first entry that waits.
        var isStoring = false
        var isRetryPlanned = false
        /// When a refused login from an address was recorded last.
        var refusals: [String: Moment] = [:]
        var hourBegan = Moment(milliseconds: 0)
        var refusalsInHour = 0
    }

    private let instance: InstanceID
    private let store: any DurableStore
    private let clock: any ChatClock
    private let retention: AuditRetention
    private let logger: Logger
    private let stored: Counter
    private let dropped: Counter
    private let state = Mutex(State(ids: MessageIDGenerator(seed: SecureRandom.uint64())))

    package init(
        instance: InstanceID, store: any DurableStore, clock: any ChatClock, retention: AuditRetention,
        logger: Logger, registry: MetricsRegistry
    ) {
        self.instance = instance
        self.store = store
        self.clock = clock
        self.retention = retention
        self.logger = logger
        let help = "Entries for the audit trail, by whether the store has them."
        stored = registry.counter("chat_audit_entries_total", help: help, labels: ["result": "stored"])
        dropped = registry.counter("chat_audit_entries_total", help: help, labels: ["result": "dropped"])
        registry.gauge("chat_audit_waiting", help: "Entries of the audit trail that wait for the store.") {
            [weak self] in Double(self?.waitingCount ?? 0)
        }
    }

    package var waitingCount: Int { state.withLock { $0.waiting.count } }

    /// Removes old entries now and then, from now on.
    package func start() {
        Task { [weak self] in
            await self?.trim()
            self?.clock.schedule(after: Self.trimInterval) { [weak self] in self?.start() }
        }
    }

    /// Returns once the entry is stored, or once the store has refused it; it is then tried again later.
    package func record(_ act: AuditAct) async {
        let now = clock.now.wall
        let isKept = state.withLock { state in
            guard state.waiting.count < Self.maximumWaiting else { return false }
            state.waiting.append(AuditEntry(act, id: state.ids.next(at: now), at: now, on: instance))
            return true
        }
        guard isKept else {
            dropped.add()
            return logger.error("the audit trail takes no more entries", ["action": act.action.rawValue])
        }
        await storeWaiting()
    }

    /// Records a login that was refused, unless too many were.
    package func recordRefusedLogin(from address: String) {
        guard takesRefusal(from: address, at: clock.now.monotonic) else { return }
        var act = AuditAct(.login, outcome: .refused)
        act.address = address
        Task { [self, act] in await record(act) }
    }

    private func takesRefusal(from address: String, at now: Moment) -> Bool {
        state.withLock { state in
            if now - state.hourBegan >= .seconds(3600) {
                state.hourBegan = now
                state.refusalsInHour = 0
                state.refusals = [:]
            }
            if let last = state.refusals[address], now - last < Self.refusalInterval { return false }
            guard state.refusalsInHour < Self.refusalsPerHour else { return false }
            state.refusalsInHour += 1
            state.refusals[address] = now
            return true
        }
    }

    // MARK: The store

    /// One entry after the other, in order. Entries that come meanwhile are stored by the same call.
    private func storeWaiting() async {
        let isFree = state.withLock { state in
            defer { state.isStoring = true }
            return !state.isStoring
        }
        guard isFree else { return }
        while let entry = next() {
            do throws(StoreError) { try await store.record(entry) } catch {
                state.withLock { $0.isStoring = false }
                logger.warning("an entry of the audit trail waits for the store", ["reason": "\(error)"])
                return retryLater()
            }
            stored.add()
            state.withLock { if $0.waiting.first?.id == entry.id { $0.waiting.removeFirst() } }
        }
    }

    private func next() -> AuditEntry? {
        state.withLock { state in
            if state.waiting.isEmpty { state.isStoring = false }
            return state.waiting.first
        }
    }

    private func retryLater() {
        let isDue = state.withLock { state in
            defer { state.isRetryPlanned = true }
            return !state.isRetryPlanned
        }
        guard isDue else { return }
        clock.schedule(after: Self.retryInterval) { [weak self] in
            guard let self else { return }
            state.withLock { $0.isRetryPlanned = false }
            Task { await self.storeWaiting() }
        }
    }

    private func trim() async {
        let oldest = Timestamp(milliseconds: clock.now.wall.milliseconds - retention.age.wholeMilliseconds)
        do throws(StoreError) { try await store.trimAudit(before: oldest, keeping: retention.count) } catch {
            logger.warning("the audit trail was not trimmed", ["reason": "\(error)"])
        }
    }
}

extension AuditEntry {
    fileprivate init(_ act: AuditAct, id: MessageID, at now: Timestamp, on instance: InstanceID) {
        self.init(
            id: id, timestamp: now, action: act.action, outcome: act.outcome, isService: act.isService,
            actor: act.actor, address: act.address, instance: instance, user: act.user, room: act.room,
            message: act.message, detail: act.details)
    }
}

extension Services {
    /// Records the deletion of a message, unless its author deleted it.
    ///
    /// - Parameter act: the act without the author, who is looked for in the store.
    package func recordDeletion(_ receipt: ChangeReceipt, in room: RoomID, _ act: AuditAct) async {
        guard !receipt.isUnchanged, !receipt.isDuplicate else { return }
        var act = act
        act.message = receipt.messageID
        act.room = room
        let message = try? await store.message(receipt.messageID, in: room, above: 0)
        act.user = message?.body.author
        guard act.isService || act.user != act.actor else { return }
        await audit.record(act)
    }
}
