import ChatDomain
import Identity

/// What a session keeps so that its client could go on elsewhere.
struct SessionTrail {
    /// From where on the shard's trail says everything that the client was sent and could have missed.
    var floor = 0
    /// What was sent before that, to a client that came back and got what it had missed.
    var before: [RecoverableSession.Sent] = []

    /// Something was sent that cannot be repeated: only what comes after it can be recovered.
    mutating func restart(at position: Int) {
        floor = position
        before = []
    }
}

/// A session that is being brought back: it enters its rooms again before its client hears of it.
struct Rejoining {
    /// Rooms not asked for yet, with what was seen of them.
    var waiting: [(room: RoomID, number: SequenceNumber)]
    /// Rooms not entered yet.
    var left: Int
    /// What the client was sent before it left, and is sent now.
    var sent: [RecoverableSession.Sent]
    /// Where the shard's trail stood when this began.
    let start: Int
    /// Told once whether everything the client missed is on its way to it.
    let finished: (Bool) -> Void
}

extension Session {
    /// More rooms than this are not entered again on somebody's behalf.
    private static let maximumRecoveredRooms = 200
    /// Rooms entered at a time: what was missed in each may be a large page.
    private static let roomsAtOnce = 4
    /// Broadcasts a client may have missed and still go on.
    private static let maximumMissed = 512

    /// What is to be kept of this session for its client; nil when something would be missing for certain.
    package func recoverable() -> RecoverableSession? {
        guard let identity, rooms.count <= Self.maximumRecoveredRooms, !isChangingRooms, !watchesPresence else {
            return nil
        }
        var newest: [RoomID: SequenceNumber] = [:]
        for room in rooms { newest[room] = registry.localRooms.newest(in: room) }
        return RecoverableSession(
            id: id, user: RoomUser(userID: identity.userID, username: identity.username),
            profile: Profile(name: identity.name, email: identity.email, avatar: identity.avatar),
            isVerified: identity.isVerified, isUsernameVerified: identity.isUsernameVerified,
            tokenExpiresAt: identity.expiresAt, newest: newest, sent: sent)
    }

    private var sent: [RecoverableSession.Sent] {
        let (sent, isAll) = registry.trail.sent(to: rooms, from: trail.floor, limit: Self.maximumMissed)
        return isAll ? (trail.before + sent).suffix(Self.maximumMissed) : sent
    }

    /// Whether a join or leave is not done yet, so that the client cannot know which rooms it is in.
    private var isChangingRooms: Bool {
        (underWay.map(\.request) + waiting).contains { request in
            switch request.command {
            case .joinRoom, .leaveRoom: true
            default: false
            }
        }
    }

    /// Enters the rooms of a session that broke off; what was missed in them comes as it would have come.
    package func rejoin(
        _ seen: [RoomID: SequenceNumber], sent: [RecoverableSession.Sent], finished: @escaping (Bool) -> Void
    ) {
        rejoining = Rejoining(
            waiting: seen.map { ($0.key, $0.value) }, left: seen.count, sent: sent, start: registry.trail.count,
            finished: finished)
        for _ in 0..<Self.roomsAtOnce { rejoinNext() }
    }

    private func rejoinNext() {
        guard let (room, number) = rejoining?.waiting.popLast() else { return }
        let history = HistoryRequest(since: number, asMessages: true)
        start(Request(event: "join_room", command: .joinRoom(room, history), tag: nil, since: context.now.monotonic))
    }

    /// A room was entered; where that is a coming back, the client may hear of it once it was the last.
    func entered(_ room: RoomID, _ view: EnteredRoom) {
        let position = registry.trail.count
        guard var rejoining else { return trail.restart(at: position) }
        rejoining.left -= 1
        if let numbers = view.numbers { rejoining.sent.append(.init(room: room, numbers: numbers)) }
        self.rejoining = rejoining
        if view.needsResync { return rejoined(isWhole: false) }
        guard rejoining.left == 0 else { return rejoinNext() }
        trail.restart(at: position)
        // Live messages in between came before some of what was missed: their order is not the trail's.
        let between = registry.trail.sent(to: rooms, from: rejoining.start, limit: 1)
        if between.sent.isEmpty, between.isAll { trail.before = rejoining.sent }
        rejoined(isWhole: true)
    }

    func rejoined(isWhole: Bool) {
        let finished = rejoining?.finished
        rejoining = nil
        finished?(isWhole)
    }
}

extension RecoverableSession {
    /// Who this was; nil when the token that said so has expired.
    package func identity(at now: Timestamp) -> Identity? {
        if let tokenExpiresAt, tokenExpiresAt <= now { return nil }
        var identity = Identity(claimed: user.userID, username: user.username)
        identity.isVerified = isVerified
        identity.isUsernameVerified = isUsernameVerified
        identity.expiresAt = tokenExpiresAt
        identity.name = profile.name
        identity.email = profile.email
        identity.avatar = profile.avatar
        return identity
    }
}
