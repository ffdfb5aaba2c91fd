/// The limits a room works under.
public struct RoomLimits: Sendable {
    /// Past this, those who join an open room take part while connected and are not recorded.
    public var maximumParticipants = 5000
    /// How long a user whose last session broke off still counts as present, in milliseconds.
    public var graceMilliseconds: Int64 = 5000
    /// How long anybody waits for the store before being told to try again, in milliseconds.
    public var storeMilliseconds: Int64 = 5000
    /// Above this many users present, joins and leaves show as counts, once a second.
    public var announcedUsers = 200
    /// Whether users hear of their friends only. Joins and leaves are then told one by one in big rooms too: each to few.
    public var isForFriendsOnly = false

    public init() {}
}

/// A room at work on its home shard: who is in it, what is being stored, what was delivered.
///
/// A value without clock or I/O: commands and the time go in, effects come out. `deadline` says when `tick` is due.
public struct LiveRoom: Sendable {
    static let stateInterval: Int64 = 1000
    static let repairDelay: Int64 = 150

    public internal(set) var room: Room
    public internal(set) var participants: Set<UserID> { didSet { participantsRevision &+= 1 } }
    /// Moves on whenever the participants may have changed.
    public private(set) var participantsRevision: UInt32 = 0
    public internal(set) var members = RoomMembers()
    /// Those of the members others are not to know of. They take part; no list, count or announcement has them, and other
    /// instances are not told of them.
    var hidden: Set<UserID> = []
    let limits: RoomLimits
    var gate: SequenceGate
    var tail: MessageTail
    var writes = WriteQueue()
    var typists = TypingBoard()
    var typingNews = TypingNews()
    /// When the next `room_state` of a big room is due; nil when nothing changed since the last.
    var stateDue: Moment?
    var lastState = Moment(milliseconds: .min / 2)
    var repairDue: Moment?
    /// The store is being asked for what is missing.
    var isRepairing = false
    /// Read marks beyond the newest message known here, while the store is asked for it.
    var distantMarks: [DistantMark] = []
    /// Who is in the room on other instances.
    var remote = RemoteRoster()
    /// Users who are both here and there.
    var overlap = 0
    /// When instances that have not spoken since contact was lost are given up.
    var doubtDue: Moment?
    /// The newest number known when the store was last asked for what is missing.
    var newestAtRepair: SequenceNumber = 0
    /// How far users have read.
    var readMarks: ReadMarkBoard
    /// Who became a participant (true) or ceased to be one since the store was asked what the room is; nil while it is not.
    private var sinceAsked: [UserID: Bool]?

    public init(_ snapshot: RoomSnapshot, limits: RoomLimits) {
        room = snapshot.room
        participants = snapshot.participants
        gate = SequenceGate(delivered: snapshot.lastSequence)
        tail = MessageTail(after: snapshot.lastSequence)
        readMarks = ReadMarkBoard(snapshot.readMarks)
        self.limits = limits
    }

    public var lastSequence: SequenceNumber { gate.delivered }

    public var state: RoomState {
        RoomState(roomID: room.id, lastSequence: lastSequence, members: participants.count, online: online)
    }

    /// Users others see present on any instance, each once.
    public var online: Int { members.count - hidden.count + remote.count - overlap }

    /// Nothing here would be lost if the room were forgotten and loaded again.
    public var isIdle: Bool {
        members.isEmpty && writes.isIdle && typists.isEmpty && !gate.hasHole && !isRepairing && distantMarks.isEmpty
    }

    /// What drafts of this room weigh that are not stored yet, in bytes.
    public var pendingBytes: Int { writes.bytes }

    /// Whether `user` may enter, read and (over REST) write.
    public func admits(_ user: UserID?) -> Bool {
        if room.kind == .group && !room.isPrivate { return true }
        return user.map(participants.contains) ?? false
    }

    /// - Parameter visible: the only users to count as present; nil for everybody.
    public func info(by user: UserID?, showing visible: Set<UserID>? = nil) -> RoomInfo {
        RoomInfo(
            room: room, state: state(showing: visible), isAdmitted: admits(user),
            participants: participants.count <= RoomInfo.participantLimit
                ? participants.sorted() : nil)
    }

    // MARK: Changes made from outside

    /// Changes what the room is; who is present and may no longer be.
    public mutating func revise(_ revision: RoomRevision, at time: Timestamp) -> [UserID] {
        room.revise(revision, at: time)
        return members.list(limit: .max).map(\.userID).filter { !admits($0) }
    }

    /// Takes a user for a participant whom the store has as one already.
    public mutating func admit(_ user: UserID) {
        sinceAsked?[user] = true
        if !participants.contains(user) { participants.insert(user) }
    }

    private mutating func dismiss(_ user: UserID) {
        sinceAsked?[user] = false
        if participants.contains(user) { participants.remove(user) }
    }

    /// The store is about to be asked what the room is: what changes from here on is newer than its answer.
    public mutating func willRefresh() { sinceAsked = [:] }

    /// The store gave no answer.
    public mutating func failedToRefresh() { sinceAsked = nil }

    /// Takes the room as the store has it; the users present who may no longer be, those removed elsewhere among them.
    public mutating func refresh(_ snapshot: RoomSnapshot, at now: Moment) -> [UserID] {
        room = snapshot.room
        var current = snapshot.participants
        for (user, isParticipant) in sinceAsked ?? [:] {
            if isParticipant { current.insert(user) } else { current.remove(user) }
        }
        sinceAsked = nil
        let gone = participants.subtracting(current)
        if current != participants { participants = current }
        for mark in snapshot.readMarks { readMarks.note(mark) }
        announced(lastSequence: snapshot.lastSequence, at: now)
        return members.list(limit: .max).map(\.userID).filter { gone.contains($0) || !admits($0) }
    }

    // MARK: Coming and going

    public enum Enrolment: Hashable, Sendable {
        /// The store has the user as a participant, or takes no more: `join` may follow.
        case done
        /// The store is to record the user first: `enrolled` or a refusal of the request follows.
        case underWay
    }

    /// What comes before a join: whoever becomes a participant by it is one in the store before the join is answered, so that
    /// every message sent after the answer has them among its receivers.
    public mutating func enrol(
        _ user: UserID, origin: RequestOrigin, at now: Moment
    ) -> Result<Enrolment, ChatError> {
        guard admits(user) else { return .failure(.roomUnavailable) }
        guard !participants.contains(user), participants.count < limits.maximumParticipants else {
            return .success(.done)
        }
        writes.add(.init(user: user, origin: origin, deadline: now + limits.storeMilliseconds))
        return .success(.underWay)
    }

    /// Lets a session in, and says what others hear of it.
    ///
    /// - Parameter isHidden: whether others are not to know of the user.
    public mutating func join(
        _ user: RoomUser, session: SessionAddress, isHidden: Bool = false, at now: Moment
    ) -> Result<[RoomEffect], ChatError> {
        guard admits(user.userID) else { return .failure(.roomUnavailable) }
        guard case .firstSession = members.join(user, session: session) else {
            return .success(setHidden(user.userID, isHidden, at: now))
        }
        if isHidden { hidden.insert(user.userID) }
        return .success(arrived(user, at: now))
    }

    /// Hides a user from the others here and elsewhere, or shows the user again.
    public mutating func setHidden(_ user: UserID, _ isHidden: Bool, at now: Moment) -> [RoomEffect] {
        guard let present = members.user(user), hidden.contains(user) != isHidden else { return [] }
        guard isHidden else {
            hidden.remove(user)
            return announcePresence(.joined(present), at: now) + [.share(.joined(present))]
        }
        hidden.insert(user)
        return endTyping(present, at: now) + announcePresence(.left(present), at: now) + [.share(.left(user))]
    }

    /// - Parameter isBroken: the connection went without a word, so the grace period applies.
    public mutating func leave(_ session: SessionAddress, isBroken: Bool, at now: Moment) -> [RoomEffect] {
        let user = members.user(of: session)
        switch members.leave(session, grace: isBroken ? now + limits.graceMilliseconds : nil) {
        case .notHere, .sessionsRemain: return []
        case .inGrace: return user.map { endTyping($0, at: now) } ?? []
        case .gone(let user): return endTyping(user, at: now) + departed(user, at: now)
        }
    }

    /// A user's first session here: news to those here unless the user was on another instance, and to the others always.
    /// A user hidden here is out of sight also while another instance has not heard of it yet.
    private mutating func arrived(_ user: RoomUser, at now: Moment) -> [RoomEffect] {
        let isElsewhere = remote.contains(user.userID)
        if isElsewhere { overlap += 1 }
        if hidden.contains(user.userID) { return isElsewhere ? announcePresence(.left(user), at: now) : [] }
        return (isElsewhere ? [] : announcePresence(.joined(user), at: now)) + [.share(.joined(user))]
    }

    private mutating func departed(_ user: RoomUser, at now: Moment) -> [RoomEffect] {
        let isElsewhere = remote.contains(user.userID)
        if isElsewhere { overlap -= 1 }
        if hidden.remove(user.userID) != nil {
            return isElsewhere ? announcePresence(.joined(user), at: now) : []
        }
        return (isElsewhere ? [] : announcePresence(.left(user), at: now)) + [.share(.left(user.userID))]
    }

    /// Takes a user's right away, as far as this room is concerned; the sessions to tell.
    public mutating func expel(_ user: UserID, at now: Moment) -> (sessions: Set<SessionAddress>, effects: [RoomEffect])
    {
        dismiss(user)
        let refusals = writes.revoke(user).map { RoomEffect.reply($0, .refused(.roomUnavailable)) }
        guard let present = members.user(user) else { return ([], refusals) }
        let sessions = members.remove(user)
        return (sessions, refusals + endTyping(present, at: now) + departed(present, at: now))
    }

    mutating func announcePresence(_ announcement: RoomAnnouncement, at now: Moment) -> [RoomEffect] {
        guard online > limits.announcedUsers, !limits.isForFriendsOnly else {
            switch announcement {
            case .joined(let user), .left(let user): return [.announce(announcement, except: user.userID)]
            default: return [.announce(announcement, except: nil)]
            }
        }
        if stateDue == nil { stateDue = max(now, lastState + Self.stateInterval) }
        return []
    }

    // MARK: Time

    /// When `tick` has something to do.
    public var deadline: Moment? {
        typists.nextExpiry.orEarlier(typingNews.due).orEarlier(members.nextDeparture).orEarlier(stateDue).orEarlier(
            repairDue
        ).orEarlier(doubtDue)
            .orEarlier(writes.nextDeadline)
    }

    public mutating func tick(at now: Moment) -> [RoomEffect] {
        var effects: [RoomEffect] = []
        for user in typists.expire(at: now) { effects += announceTyping(user, isTyping: false, at: now) }
        for (user, isTyping) in typingNews.take(at: now) {
            effects.append(.announce(.typing(user, isTyping: isTyping), except: user.userID))
        }
        for user in members.depart(at: now) { effects += departed(user, at: now) }
        for origin in writes.expire(at: now) { effects.append(.reply(origin, .refused(.storageUnavailable))) }
        if let due = stateDue, due <= now {
            stateDue = nil
            lastState = now
            effects.append(.announce(.state(state), except: nil))
        }
        if let due = doubtDue, due <= now {
            doubtDue = nil
            effects += remoteChanged(left: remote.dropDoubtful(), at: now)
        }
        if let due = repairDue, due <= now {
            repairDue = nil
            if gate.hasHole {
                isRepairing = true
                newestAtRepair = gate.newest
                effects.append(.repair(after: gate.delivered))
            }
        }
        return effects
    }
}
