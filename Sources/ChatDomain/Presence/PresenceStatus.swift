/// A user's status. What a user asks for and what others see is on the same scale.
public enum PresenceStatus: String, Sendable, CaseIterable {
    case online
    case away
    case busy
    /// There, and shown as offline to everybody else.
    case invisible
    case offline

    /// As everybody else sees it.
    public var seenByOthers: Self { self == .invisible ? .offline : self }

    /// What a session that asked for this status shows.
    ///
    /// - Parameter isIdle: whether nothing came from its client for long.
    func shown(isIdle: Bool) -> Self { isIdle && self == .online ? .away : self }

    /// Whether others see the user as present.
    public var isOnline: Bool { seenByOthers != .offline }

    /// Of several devices the one with the highest rank speaks for the user.
    var rank: Int {
        switch self {
        case .offline: 0
        case .away: 1
        case .online: 2
        case .busy: 3
        case .invisible: 4
        }
    }
}
