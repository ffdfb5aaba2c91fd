import ChatDomain
import Synchronization

/// Announces changes of rooms and of users' standing to all instances, and waits until they are in force everywhere. See ADR 0019.
package final class ChangeNotices: Sendable {
    /// Rooms and users with changes that could not be announced that are remembered, at most.
    private static let maximumUnannounced = 1000
    /// How much later than this instance's contact another's may have been proved last.
    private static let stagger: Duration = .seconds(3)
    /// How often the liveness of instances that have not answered is checked, and how often these are asked again.
    private static let checkInterval: Duration = .milliseconds(500)
    /// How often the directory is asked for the other instances while it cannot be reached.
    private static let retryInterval: Duration = .milliseconds(50)
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

    private struct Wait {
        var missing: Set<InstanceID>
        var continuation: CheckedContinuation<Void, Never>?
    }

    private struct State {
        var last: UInt64 = 0
        var waits: [UInt64: Wait] = [:]
        var unreported: Set<Subject> = []
    }

    private let instance: InstanceID
    private let directory: any SessionDirectory
    private let clock: any ChatClock
    private let state = Mutex(State())

    package init(instance: InstanceID, directory: any SessionDirectory, clock: any ChatClock) {
        self.instance = instance
        self.directory = directory
        self.clock = clock
    }

    /// Returns when the change holds on every other instance: it said so, or it is dead, or its contact is over and it serves
    /// nothing without asking the store.
    package func announce(_ subject: Subject) async {
        let deadline = clock.now.monotonic + Self.timeout
        guard let others = await others(until: deadline) else {
            state.withLock { state in
                if state.unreported.count < Self.maximumUnannounced { state.unreported.insert(subject.unspecified) }
            }
            return
        }
        guard !others.isEmpty else { return }
        let ticket = state.withLock { state in
            state.last += 1
            state.waits[state.last] = Wait(missing: others)
            return state.last
        }
        defer { state.withLock { $0.waits[ticket] = nil } }
        let notice = ChangeNotice(teller: instance, ticket: ticket)
        directory.send(subject.message(notice).encoded, to: nil)
        while clock.now.monotonic < deadline {
            await wait(for: ticket, upTo: min(Self.checkInterval, deadline - clock.now.monotonic))
            guard !missing(ticket).isEmpty else { return }
            guard let alive = await directory.others() else { continue }
            state.withLock { $0.waits[ticket]?.missing.formIntersection(alive) }
            // The notice may be lost. A repeat may arrive behind a later change, so the instance looks in the store.
            let repeated = subject.unspecified.message(notice).encoded
            for other in missing(ticket) { directory.send(repeated, to: other) }
        }
    }

    package func applied(_ ticket: UInt64, by instance: InstanceID) {
        resume(ticket) { wait in
            wait.missing.remove(instance)
            return wait.missing.isEmpty
        }
    }

    /// Contact is back: other instances are asked to look for unannounced changes in the store.
    package func catchUp() {
        let subjects = state.withLock { state in
            defer { state.unreported = [] }
            return state.unreported
        }
        guard !subjects.isEmpty else { return }
        Task { for subject in subjects { await announce(subject) } }
    }

    /// The other instances, as soon as they can be reached; nil when they could not be reached for so long that none of them
    /// relies on announcements any more.
    private func others(until deadline: Moment) async -> Set<InstanceID>? {
        while true {
            if let others = await directory.others() { return others }
            let now = clock.now.monotonic
            guard now < deadline, now - Self.stagger < directory.contact.until else { return nil }
            await clock.sleep(for: Self.retryInterval)
        }
    }

    private func missing(_ ticket: UInt64) -> Set<InstanceID> {
        state.withLock { $0.waits[ticket]?.missing ?? [] }
    }

    private func wait(for ticket: UInt64, upTo limit: Duration) async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                guard state.waits[ticket]?.missing.isEmpty == false else { return true }
                state.waits[ticket]?.continuation = continuation
                return false
            }
            if isOver { return continuation.resume() }
            // Not before there is something to resume, else the wait would not end.
            clock.schedule(after: limit) { [self] in resume(ticket) { _ in true } }
        }
    }

    private func resume(_ ticket: UInt64, when isDue: (inout Wait) -> Bool) {
        let continuation = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard var wait = state.waits[ticket] else { return nil }
            defer { state.waits[ticket] = wait }
            guard isDue(&wait) else { return nil }
            defer { wait.continuation = nil }
            return wait.continuation
        }
        continuation?.resume()
    }
}
