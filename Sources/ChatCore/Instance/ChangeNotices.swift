import ChatDomain
import Synchronization

/// Announces changes of rooms and of users' standing to all instances, and waits until they are in force everywhere. See ADR 0019.
package final class ChangeNotices: Sendable {
    /// Rooms and users with changes that could not be announced that are remembered, at most.
    private static let maximumUnannounced = 1000
    /// How long after an attempt they are announced again, and how many together.
    private static let repetitionInterval: Duration = .seconds(1)
    private static let repetitionCount = 64
    /// How much later than this instance's contact another's may have been proved last.
    private static let stagger: Duration = .seconds(3)
    /// How often the liveness of instances that have not answered is checked, and how often these are asked again.
    private static let checkInterval: Duration = .milliseconds(500)
    /// How often the directory is asked for the other instances while it cannot be reached.
    private static let retryInterval: Duration = .milliseconds(50)
    /// How long an instance counts as live after its lease was seen last: until leases that were lost with all of Redis's data have
    /// been renewed.
    private static let memoryOfLeases: Duration = .seconds(4)
    /// Longer than any proof of contact holds.
    private static let timeout = Contact.validity + .milliseconds(500)

    /// What changed.
    package enum Subject: Hashable, Sendable {
        case room(RoomID, RoomChange)
        /// A ban of a user from the deployment, or a block of the user. Other instances read it from the store.
        case user(UserID)

        /// The same without the change itself: it is to be looked for in the store.
        fileprivate var unspecified: Self {
            switch self {
            case .room(let room, _): .room(room, .unspecified)
            case .user: self
            }
        }

        fileprivate func message(_ notice: ChangeNotice) -> InstanceMessage {
            switch self {
            case .room(let room, let change): .roomChanged(room, change, notice)
            case .user(let user): .userChanged(user, notice)
            }
        }
    }

    /// Changes that may not hold everywhere yet.
    private struct Unannounced {
        /// Whether each was noted in the store.
        var subjects: [Subject: Bool] = [:]
        /// A task repeats them, and ends with the last one.
        var isRepeated = false
    }

    private let instance: InstanceID
    private let directory: any SessionDirectory
    private let store: any DurableStore
    private let clock: any ChatClock
    private let waits: InstanceWaits<Void>
    /// When each instance's lease was seen last.
    private let seen = Mutex<[InstanceID: Moment]>([:])
    private let unannounced = Mutex(Unannounced())

    package init(
        instance: InstanceID, directory: any SessionDirectory, store: any DurableStore, clock: any ChatClock
    ) {
        self.instance = instance
        self.store = store
        self.directory = directory
        self.clock = clock
        waits = InstanceWaits(clock: clock)
    }

    /// Returns when the change holds on every other instance: it said so, or it is dead, or its contact is over and it serves
    /// nothing without asking the store, or it has found in the store that it missed a change.
    package func announce(_ subject: Subject) async {
        guard await !isAnnounced(subject) else { return }
        let isNoted = await isNotedInStore()
        repeatLater(subject.unspecified, isNoted: isNoted)
        // The others look in the store meanwhile.
        if isNoted { await clock.sleep(for: ChangeWatch.interval * 2) }
    }

    private func isNotedInStore() async -> Bool { (try? await store.noteUnannouncedChange()) != nil }

    /// Announces a change; whether every other instance that lives has answered.
    private func isAnnounced(_ subject: Subject) async -> Bool {
        let deadline = clock.now.monotonic + Self.timeout
        guard let others = await others(until: deadline) else { return false }
        guard !others.isEmpty else { return true }
        guard let ticket = waits.begin(others) else { return false }
        defer { waits.end(ticket) }
        let notice = ChangeNotice(teller: instance, ticket: ticket)
        directory.send(subject.message(notice).encoded, to: nil)
        while clock.now.monotonic < deadline {
            await waits.wait(for: ticket, upTo: min(Self.checkInterval, deadline - clock.now.monotonic))
            guard !waits.missing(ticket).isEmpty else { return true }
            guard let alive = await liveOthers() else { continue }
            waits.keep(alive, for: ticket)
            // The notice may be lost. A repeat may arrive behind a later change, so the instance looks in the store.
            let repeated = subject.unspecified.message(notice).encoded
            for other in waits.missing(ticket) { directory.send(repeated, to: other) }
        }
        return waits.missing(ticket).isEmpty
    }

    private func repeatLater(_ subject: Subject, isNoted: Bool) {
        let isRepeated = unannounced.withLock { unannounced in
            if unannounced.subjects.count < Self.maximumUnannounced { unannounced.subjects[subject] = isNoted }
            defer { unannounced.isRepeated = true }
            return unannounced.isRepeated
        }
        if !isRepeated { Task { await repeatUnannounced() } }
    }

    /// Asks the other instances to look for the changes in the store, until they have answered.
    private func repeatUnannounced() async {
        while true {
            await clock.sleep(for: Self.repetitionInterval)
            let subjects = unannounced.withLock { unannounced in
                let taken = unannounced.subjects.prefix(Self.repetitionCount).map { $0 }
                for (subject, _) in taken { unannounced.subjects[subject] = nil }
                unannounced.isRepeated = !taken.isEmpty
                return taken
            }
            guard !subjects.isEmpty else { return }
            await withDiscardingTaskGroup { group in
                for (subject, isNoted) in subjects { group.addTask { await self.announce(again: subject, isNoted) } }
            }
        }
    }

    private func announce(again subject: Subject, _ wasNoted: Bool) async {
        guard await !isAnnounced(subject) else { return }
        var isNoted = wasNoted
        if !isNoted { isNoted = await isNotedInStore() }
        repeatLater(subject, isNoted: isNoted)
    }

    /// The leases of these instances were there.
    package func sawLeases(of instances: Set<InstanceID>) {
        let now = clock.now.monotonic
        seen.withLock { seen in
            for instance in instances { seen[instance] = now }
            seen = seen.filter { now - $0.value < Self.memoryOfLeases }
        }
    }

    /// An instance is dead.
    package func lost(_ instance: InstanceID) { seen.withLock { $0[instance] = nil } }

    /// The instances with a lease, or that had one a moment ago; nil while the directory cannot be reached.
    private func liveOthers() async -> Set<InstanceID>? {
        guard let others = await directory.others() else { return nil }
        sawLeases(of: others)
        return others.union(seen.withLock { $0.keys })
    }

    package func applied(_ ticket: UInt64, by instance: InstanceID) {
        waits.receivedAnswer((), to: ticket, by: instance)
    }

    /// The other instances, as soon as they can be reached; nil when they could not be reached for so long that none of them
    /// relies on announcements any more.
    private func others(until deadline: Moment) async -> Set<InstanceID>? {
        while true {
            if let others = await liveOthers() { return others }
            let now = clock.now.monotonic
            guard now < deadline, now - Self.stagger < directory.contact.until else { return nil }
            await clock.sleep(for: Self.retryInterval)
        }
    }
}
