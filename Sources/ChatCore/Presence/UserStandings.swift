import ChatDomain
import Synchronization

/// What this instance knows of users that holds in all rooms: which a service banned, and who blocks whom. See ADR 35.
///
/// All bans are kept, so that a handshake asks nothing. Of blocks an instance keeps whether there are any, and who blocks the
/// users with sessions here.
package final class UserStandings: Sendable {
    private static let bansPerRead = 1000
    /// Users that may block one user before that one sees no user's presence at all.
    package static let maximumBlockers = 10_000

    private struct State {
        var bans: [UserID: Timestamp] = [:]
        var hasBlocks = false
        /// Of users with sessions here, and when the store began to be asked.
        var blockers: [UserID: (blockers: Blockers, readAt: Moment)] = [:]
        /// When the store began to be asked for all of it; nil before the first answer.
        var knownAt: Moment?
        /// Moves on with every change, so that an answer from before is not taken.
        var revision: UInt64 = 0
    }

    private let store: any DurableStore
    private let clock: any ChatClock
    private let state = Mutex(State())
    private let hasBlocks = Atomic<Bool>(false)

    package init(store: any DurableStore, clock: any ChatClock) {
        self.store = store
        self.clock = clock
    }

    // MARK: Bans

    /// `banned` for a user that is banned from the deployment; nil for any other.
    package func refusal(of user: UserID) -> ChatError? {
        guard let end = state.withLock({ $0.bans[user] }), end > clock.now.wall else { return nil }
        return .banned
    }

    /// Whether what is known was read from the store while contact with other instances held.
    package func isCurrent(_ contact: Contact) -> Bool {
        guard let knownAt = state.withLock({ $0.knownAt }) else { return false }
        return contact.vouches(for: knownAt, at: clock.now.monotonic)
    }

    /// Reads all bans, and whether there are blocks.
    ///
    /// - Returns: the users that are banned and were not, as far as was known.
    package func load() async throws(StoreError) -> [UserID] {
        let (begunAt, revision) = (clock.now.monotonic, state.withLock { $0.revision })
        var bans: [UserID: Timestamp] = [:]
        var cursor: UserID?
        repeat {
            let page = try await store.bans(after: cursor, limit: Self.bansPerRead)
            for ban in page { bans[ban.user] = ban.end }
            cursor = page.count < Self.bansPerRead ? nil : page.last?.user
        } while cursor != nil && bans.count < UserBan.limit
        let areBlocks = try await store.hasBlocks()
        return state.withLock { state in
            // A ban that changed meanwhile is newer than the answer; the next read has it.
            guard state.revision == revision else { return [] }
            let banned = bans.keys.filter { state.bans[$0] == nil }
            state.bans = bans
            state.knownAt = begunAt
            note(areBlocks, &state)
            return Array(banned)
        }
    }

    private func note(_ areBlocks: Bool, _ state: inout State) {
        state.hasBlocks = areBlocks
        hasBlocks.store(areBlocks, ordering: .releasing)
    }

    // MARK: Changes

    /// What a change of one user comes to.
    package struct Change: Sendable {
        package var isBanned: Bool
        /// Users whose presence is out of sight from now on, and back in sight.
        package var hidden: Set<UserID>
        package var shown: Set<UserID>
    }

    /// Reads what holds for one user, after the store has a change of it.
    ///
    /// - Parameter isHere: whether the user has sessions on this instance.
    package func refresh(_ user: UserID, isHere: Bool) async throws(StoreError) -> Change {
        for _ in 1..<Self.attempts {
            if let change = try await refresh(user, isHere: isHere, unlessChanged: true) { return change }
        }
        return try await refresh(user, isHere: isHere, unlessChanged: false)
            ?? Change(isBanned: false, hidden: [], shown: [])
    }

    /// How often a user is read again because of changes made meanwhile.
    private static let attempts = 5

    /// - Parameter unlessChanged: whether an answer counts for nothing where another change was made meanwhile.
    private func refresh(
        _ user: UserID, isHere: Bool, unlessChanged: Bool
    ) async throws(StoreError) -> Change? {
        let begunAt = clock.now.monotonic
        let revision = state.withLock { state in
            state.revision &+= 1
            return state.revision
        }
        let ban = try await store.ban(of: user)
        let found = try await Blockers.read(of: user, from: store)
        let now = clock.now.wall
        return state.withLock { state in
            guard state.revision == revision || !unlessChanged else { return nil }
            state.bans[user] = ban?.end
            if !found.isEmpty { note(true, &state) }
            let before = state.blockers[user]?.blockers.users ?? []
            state.blockers[user] = isHere ? (found, begunAt) : nil
            return Change(
                isBanned: ban.map { $0.end > now } ?? false, hidden: found.users.subtracting(before),
                shown: before.subtracting(found.users))
        }
    }

    // MARK: Blocks

    /// Whether any user blocks another. While none does, no block is looked up.
    package var mayHaveBlocks: Bool { hasBlocks.load(ordering: .acquiring) }

    /// Whether it is known who blocks a user.
    package func knowsBlockers(of user: UserID) -> Bool {
        !mayHaveBlocks || state.withLock { $0.blockers[user] != nil }
    }

    /// Who blocks a user, as far as is known here at once.
    package func knownBlockers(of user: UserID) -> Blockers {
        guard mayHaveBlocks else { return Blockers() }
        return state.withLock { $0.blockers[user]?.blockers } ?? Blockers()
    }

    /// Who blocks a user; read where it is not known for certain. Where it cannot be read, what is known counts, so that presence
    /// works on while the store is away.
    ///
    /// - Parameters:
    ///   - isHere: whether the user has sessions on this instance, so that the answer is kept.
    ///   - contact: the contact with other instances.
    package func blockers(of user: UserID, isHere: Bool, _ contact: Contact) async -> Blockers {
        guard mayHaveBlocks else { return Blockers() }
        let now = clock.now.monotonic
        let (known, revision) = state.withLock { ($0.blockers[user], $0.revision) }
        if let known, contact.vouches(for: known.readAt, at: now) { return known.blockers }
        guard let found = try? await Blockers.read(of: user, from: store) else { return known?.blockers ?? Blockers() }
        if isHere {
            state.withLock { state in if state.revision == revision { state.blockers[user] = (found, now) } }
        }
        return found
    }

    /// Forgets users that have no sessions here, and bans that are over. Called now and then.
    package func sweep(isHere: (UserID) -> Bool) {
        let now = clock.now.wall
        let users = state.withLock { Array($0.blockers.keys) }
        let gone = users.filter { !isHere($0) }
        state.withLock { state in
            for user in gone { state.blockers[user] = nil }
            state.bans = state.bans.filter { $0.value > now }
        }
    }
}

/// The users that block one user.
package struct Blockers: Hashable, Sendable {
    package var users: Set<UserID> = []
    /// More users than are kept: every other user counts as one of them.
    package var isEverybody = false

    package var isEmpty: Bool { users.isEmpty && !isEverybody }
    package func holds(_ user: UserID) -> Bool { isEverybody || users.contains(user) }

    static func read(of user: UserID, from store: any DurableStore) async throws(StoreError) -> Self {
        let found = try await store.blockers(of: user, limit: UserStandings.maximumBlockers + 1)
        return Self(users: found, isEverybody: found.count > UserStandings.maximumBlockers)
    }
}

extension UserBan {
    fileprivate var end: Timestamp { until ?? Timestamp(milliseconds: .max) }
}
