/// Who has which rights in a room beyond being a participant: its moderators, bans and mutes, and in a direct room the users
/// that the other one blocks.
///
/// A value without a clock: `lift` takes away what is over. The owner is the room's own property.
public struct RoomAuthority: Hashable, Sendable {
    /// The end of what has no end.
    private static let never = Timestamp(milliseconds: .max)

    public private(set) var moderators: Set<UserID> = []
    private var bans: [UserID: Timestamp] = [:]
    private var mutes: [UserID: Timestamp] = [:]
    private var blocked: Set<UserID> = []
    /// When the first ban or mute is over.
    private var nextEnd = never

    /// An empty record.
    public init() {}

    /// - Parameter blocked: the users of a direct room that the other one blocks.
    public init(_ standings: some Sequence<RoomStanding>, blocked: Set<UserID> = []) {
        self.blocked = blocked
        for standing in standings { apply(.set(standing.kind, standing.user, until: standing.until)) }
    }

    public mutating func apply(_ change: StandingChange) {
        switch change {
        case .set(.moderator, let user, _): moderators.insert(user)
        case .set(.ban, let user, let until):
            // A banned user's role ends.
            moderators.remove(user)
            bans[user] = note(until)
        case .set(.mute, let user, let until): mutes[user] = note(until)
        case .cleared(.moderator, let user): moderators.remove(user)
        case .cleared(.ban, let user): bans[user] = nil
        case .cleared(.mute, let user): mutes[user] = nil
        case .blocked(let user): blocked.insert(user)
        case .unblocked(let user): blocked.remove(user)
        }
    }

    private mutating func note(_ end: Timestamp?) -> Timestamp {
        let end = end ?? Self.never
        nextEnd = min(nextEnd, end)
        return end
    }

    /// Ends the bans and mutes whose time is over.
    public mutating func lift(at now: Timestamp) {
        guard nextEnd <= now else { return }
        bans = bans.filter { $0.value > now }
        mutes = mutes.filter { $0.value > now }
        nextEnd = (bans.values.min()).map { min($0, mutes.values.min() ?? $0) } ?? mutes.values.min() ?? Self.never
    }

    // MARK: Rights

    public func isBanned(_ user: UserID) -> Bool { bans[user] != nil }
    public func isMuted(_ user: UserID) -> Bool { mutes[user] != nil }

    /// Why the user may not send in the room, react or show as typing; nil where the user may, as far as roles go.
    public func refusalOfMessage(by user: UserID, in room: Room) -> ChatError? {
        if isBanned(user) { return .banned }
        if blocked.contains(user) { return .roomUnavailable }
        if isMuted(user) { return .muted }
        if room.isReadOnly, role(of: user, in: room) == .member { return .readOnly }
        return nil
    }

    /// What the user is in the room.
    public func role(of user: UserID, in room: Room) -> RoomRole {
        if room.owner == user { return .owner }
        return moderators.contains(user) ? .moderator : .member
    }
}

/// A user or a service that wants to change something in a room.
public struct RoomActor: Hashable, Sendable {
    /// nil for a service that acts for no user, and for a caller without a name.
    public var user: UserID?
    public var isService: Bool

    public init(user: UserID?, isService: Bool = false) {
        self.user = user
        self.isService = isService
    }
}

/// The rules of who may change what about whom.
extension RoomAuthority {
    /// Whether the actor manages the room: its settings, its roles, its end. The owner does, taking part or not.
    public func isManaged(by actor: RoomActor, _ room: Room) -> Bool {
        actor.isService || actor.user.map { role(of: $0, in: room) == .owner } ?? false
    }

    /// Whether the actor keeps order in the room: bans, mutes, flags, messages of others, pins.
    public func isModerated(by actor: RoomActor, _ room: Room) -> Bool {
        actor.isService || actor.user.map { role(of: $0, in: room) != .member } ?? false
    }

    /// Why the actor may not change what the room has on record about `user`; nil where the actor may.
    ///
    /// Moderators ban and mute members. The owner and services ban and mute moderators too, and appoint them. The owner stays
    /// above all of it.
    public func refusal(
        of kind: RoomStanding.Kind, about user: UserID, by actor: RoomActor, in room: Room
    ) -> ChatError? {
        guard room.kind == .group else { return .badRequest("a direct room has no roles, bans and mutes; users block") }
        let isManager = isManaged(by: actor, room)
        guard kind == .moderator ? isManager : isModerated(by: actor, room) else {
            return kind == .moderator ? .ownersOnly : .moderatorsOnly
        }
        switch role(of: user, in: room) {
        case .owner: return ChatError(.conflict, "this user owns the room; the room has to be handed over first")
        case .moderator:
            return isManager ? nil : ChatError(.forbidden, "only the room's owner may do this to a moderator")
        case .member:
            guard kind != .moderator || !isBanned(user) else {
                return ChatError(.conflict, "this user is banned from the room")
            }
            return nil
        }
    }

    /// Why the room may not be handed over to `user`; nil where it may.
    public func refusalOfOwner(_ user: UserID, in room: Room, isParticipant: Bool) -> ChatError? {
        guard room.kind == .group else { return .badRequest("a direct room has no owner") }
        guard !isBanned(user) else { return ChatError(.conflict, "this user is banned from the room") }
        guard isParticipant else { return ChatError(.conflict, "the new owner has to take part in the room") }
        return nil
    }
}

extension ChatError {
    public static let banned = Self(.banned, "you are banned")
    public static let muted = Self(.muted, "you may read here, and not send")
    static let readOnly = Self(.forbidden, "only the owner and moderators send here")
    public static let ownersOnly = Self(.forbidden, "only the room's owner may do this")
    public static let moderatorsOnly = Self(.forbidden, "only the room's owner and moderators may do this")
}
