import ChatDomain

/// How a user stands in Redis, and how new that is.
struct PresenceStatement: Hashable, Sendable {
    var presence: UserPresence
    /// Of two statements about a user the one with the higher version is newer. nil from an instance of an earlier version of the
    /// service; such a statement counts as newer than any before it.
    var version: Int64?

    func isNewer(than other: Int64?) -> Bool {
        guard let version, let other else { return true }
        return version > other
    }
}
