import ChatDomain
import Synchronization

/// Facts about users that wait for the next write: when they were last seen, and their profiles.
package final class LastSeenLog: Sendable {
    private struct Pending {
        var seen: [UserID: Timestamp] = [:]
        var profiles: [UserID: Profile] = [:]
        /// The hash of the user and of what was written before, by the user's hash, so that it is not written at every connection.
        /// Where two users have one hash, their profiles are written more often.
        var known: [UInt32: UInt32] = [:]
    }

    /// Users waiting at most while the store cannot be written; later ones are only remembered by the next write of theirs.
    private static let maximumPending = 100_000
    private static let maximumKnown = 50_000

    private let pending = Mutex(Pending())
    private let store: any DurableStore

    package init(store: any DurableStore) { self.store = store }

    package func note(_ user: UserID, at time: Timestamp) {
        pending.withLock { pending in
            guard pending.seen.count < Self.maximumPending || pending.seen[user] != nil else { return }
            pending.seen[user] = max(pending.seen[user] ?? time, time)
        }
    }

    package func note(_ user: UserID, _ profile: Profile) {
        guard profile != Profile() else { return }
        pending.withLock { pending in
            guard pending.known[Self.hash(user)] != Self.hash(profile, of: user),
                pending.profiles.count < Self.maximumPending
            else { return }
            pending.profiles[user] = profile
        }
    }

    private static func hash(_ user: UserID) -> UInt32 { UInt32(truncatingIfNeeded: user.hashValue) }

    private static func hash(_ profile: Profile, of user: UserID) -> UInt32 {
        var hasher = Hasher()
        hasher.combine(profile)
        hasher.combine(user)
        return UInt32(truncatingIfNeeded: hasher.finalize())
    }

    /// Forgets what waits to be written of a user, and that a profile was written.
    package func forget(_ user: UserID) {
        pending.withLock { pending in
            pending.seen[user] = nil
            pending.profiles[user] = nil
            pending.known[Self.hash(user)] = nil
        }
    }

    /// The time noted and not written yet; nil for none.
    package func lastSeen(of user: UserID) -> Timestamp? { pending.withLock { $0.seen[user] } }

    /// Writes what is noted; what cannot be written now waits for the next time.
    package func flush() async throws(StoreError) {
        let (seen, profiles) = pending.withLock { pending in
            defer {
                pending.seen = [:]
                pending.profiles = [:]
            }
            return (pending.seen, pending.profiles)
        }
        do throws(StoreError) {
            if !seen.isEmpty { try await store.recordLastSeen(seen) }
            try await write(profiles)
        } catch {
            for (user, time) in seen { note(user, at: time) }
            for (user, profile) in profiles { note(user, profile) }
            throw error
        }
    }

    /// Many at once, so that the store can make them durable together.
    private func write(_ profiles: [UserID: Profile]) async throws(StoreError) {
        guard !profiles.isEmpty else { return }
        let failure = await withTaskGroup(of: StoreError?.self) { [store] group in
            for (user, profile) in profiles {
                group.addTask {
                    do throws(StoreError) {
                        try await store.update(user, profile)
                        return nil
                    } catch { return error }
                }
            }
            return await group.reduce(nil) { $0 ?? $1 }
        }
        if let failure { throw failure }
        pending.withLock { pending in
            if pending.known.count > Self.maximumKnown { pending.known = [:] }
            for (user, profile) in profiles { pending.known[Self.hash(user)] = Self.hash(profile, of: user) }
        }
    }
}
