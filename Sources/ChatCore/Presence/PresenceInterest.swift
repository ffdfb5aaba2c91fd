import ChatDomain
import Synchronization

/// Which shards need the changes of which users, so that a change wakes no other loop.
///
/// A shard begins to need a user's changes before it reads how the user stands: a change that does not come to it any more is in
/// what it reads. It bounds what it needs by what its sessions may watch.
package final class PresenceInterest: Sendable {
    /// Why a shard needs the changes of a user. It says each once.
    package enum Reason: UInt32 {
        /// Sessions there watch the user.
        case watched
        /// Sessions there watch a room of the user's.
        case participant
        /// The user still counts as present in rooms by sessions there that broke off.
        case retained
    }

    private struct State {
        /// Shards with their reasons.
        var users: [UserID: SmallSet<UInt32>] = [:]
        /// Shards that need the changes of all users.
        var everybody = SmallSet<UInt16>()
    }

    private static let reasonBits: UInt32 = 2

    private let state = Mutex(State())

    /// How many users' changes are needed anywhere.
    package var count: Int { state.withLock { $0.users.count } }

    package func begin(_ users: [UserID], on shard: UInt16, as reason: Reason) {
        let need = Self.need(shard, reason)
        state.withLock { state in
            for user in users { state.users[user, default: SmallSet()].insert(need) }
        }
    }

    package func end(_ users: [UserID], on shard: UInt16, as reason: Reason) {
        let need = Self.need(shard, reason)
        state.withLock { state in
            for user in users {
                state.users[user]?.remove(need)
                if state.users[user]?.isEmpty == true { state.users[user] = nil }
            }
        }
    }

    package func setEverybody(_ isNeeded: Bool, on shard: UInt16) {
        state.withLock { state in
            if isNeeded { state.everybody.insert(shard) } else { state.everybody.remove(shard) }
        }
    }

    /// The shards that need the changes of a user.
    package func shards(for user: UserID) -> SmallSet<UInt16> {
        state.withLock { state in
            var shards = state.everybody
            for need in state.users[user] ?? SmallSet() {
                shards.insert(UInt16(truncatingIfNeeded: need >> Self.reasonBits))
            }
            return shards
        }
    }

    private static func need(_ shard: UInt16, _ reason: Reason) -> UInt32 {
        UInt32(shard) << reasonBits | reason.rawValue
    }
}
