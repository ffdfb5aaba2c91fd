import ChatDomain
import Identity

/// A session's data for recovery by its client, and the return of a session whose client came back.
package struct RecoverySession {
    /// Kept in the session.
    struct State {
        /// From this position on, the shard's trail holds everything that the client was sent and could have missed.
        fileprivate var floor = 0
        fileprivate var arrival = Arrival.first
    }

    /// How the client came. Most come for the first time, so the rest is on the heap.
    fileprivate enum Arrival {
        case first
        /// The session enters the rooms that its client was in before.
        case returning(Rejoining)
        /// The client came back. It was sent these before `floor`, among them those it had missed.
        case returned([RecoverableSession.Sent])
    }

    /// Sessions in more rooms than this are not recovered.
    private static let maximumRecoveredRooms = 200
    /// Rooms entered at a time: what was missed in each may be a large page.
    private static let roomsAtOnce = 4
    /// Broadcasts a client may have missed and still continue.
    private static let maximumMissed = 512

    let session: Session

    private var registry: SessionRegistry { session.registry }

    private var rejoining: Rejoining? {
        if case .returning(let rejoining) = session.recoveryState.arrival { rejoining } else { nil }
    }

    /// Whether the session enters the rooms that its client was in before.
    var isRejoining: Bool { rejoining != nil }

    /// Something was sent that cannot be repeated: only what comes after it can be recovered.
    func restart(at position: Int) {
        session.recoveryState.floor = position
        if case .returned = session.recoveryState.arrival { session.recoveryState.arrival = .first }
    }

    /// This session, as its client can recover it; nil when the client would certainly miss something.
    package func recoverable() -> RecoverableSession? {
        guard let identity = session.identity, session.rooms.count <= Self.maximumRecoveredRooms, !isChangingRooms,
            !session.presence.watchesPresence
        else { return nil }
        var newest: [RoomID: SequenceNumber] = [:]
        for room in session.rooms { newest[room] = registry.localRooms.newest(in: room) }
        return RecoverableSession(
            id: session.id, user: RoomUser(userID: identity.userID, username: identity.username),
            profile: identity.profile,
            isVerified: identity.isVerified, isUsernameVerified: identity.isUsernameVerified,
            tokenExpiresAt: identity.expiresAt, newest: newest, sent: sent)
    }

    private var sent: [RecoverableSession.Sent] {
        let state = session.recoveryState
        let (sent, isAll) = registry.trail.sent(to: session.rooms, from: state.floor, limit: Self.maximumMissed)
        guard isAll, case .returned(let before) = state.arrival else { return sent }
        return (before + sent).suffix(Self.maximumMissed)
    }

    /// Whether a join or leave is not done yet, so that the client cannot know which rooms it is in.
    private var isChangingRooms: Bool {
        session.requests.all.contains { request in
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
        session.recoveryState.arrival = .returning(
            Rejoining(seen, sent: sent, start: registry.trail.count, finished: finished))
        for _ in 0..<Self.roomsAtOnce { rejoinNext() }
    }

    private func rejoinNext() {
        guard let (room, number) = rejoining?.waiting.popLast() else { return }
        let history = HistoryRequest(since: number, asMessages: true)
        session.start(
            .init(event: "join_room", command: .joinRoom(room, history), tag: nil, since: session.context.now.monotonic)
        )
    }

    /// A room was entered. During a return, the client is answered once it was the last.
    func entered(_ room: RoomID, _ view: EnteredRoom) {
        let position = registry.trail.count
        guard let rejoining else { return restart(at: position) }
        rejoining.left -= 1
        if let numbers = view.numbers { rejoining.sent.append(.init(room: room, numbers: numbers)) }
        if view.needsResync { return rejoined(isWhole: false) }
        guard rejoining.left == 0 else { return rejoinNext() }
        restart(at: position)
        // Live messages in between came before some of what was missed: their order is not the trail's.
        let between = registry.trail.sent(to: session.rooms, from: rejoining.start, limit: 1)
        let isInOrder = between.sent.isEmpty && between.isAll
        rejoined(isWhole: true, sent: isInOrder ? rejoining.sent : [])
    }

    /// Ends the return, once.
    ///
    /// - Parameter sent: what the client was sent before it left, and now.
    func rejoined(isWhole: Bool, sent: [RecoverableSession.Sent] = []) {
        guard let finished = rejoining?.finished else { return }
        session.recoveryState.arrival = sent.isEmpty ? .first : .returned(sent)
        finished(isWhole)
    }
}

/// The return of a session: it enters its rooms again before its client is answered.
fileprivate final class Rejoining {
    /// Rooms not asked for yet, with what was seen of them.
    var waiting: [(room: RoomID, number: SequenceNumber)]
    /// Rooms not entered yet.
    var left: Int
    /// The messages the client was sent before it left, and is sent now.
    var sent: [RecoverableSession.Sent]
    /// The end of the shard's trail when this began.
    let start: Int
    /// Called once, with whether everything the client missed is on its way to it.
    let finished: (Bool) -> Void

    init(
        _ seen: [RoomID: SequenceNumber], sent: [RecoverableSession.Sent], start: Int,
        finished: @escaping (Bool) -> Void
    ) {
        waiting = seen.map { ($0.key, $0.value) }
        left = seen.count
        self.sent = sent
        self.start = start
        self.finished = finished
    }
}

extension RecoverableSession {
    /// The session's identity; nil when its token has expired.
    package func identity(at now: Timestamp) -> Identity? {
        if let tokenExpiresAt, tokenExpiresAt <= now { return nil }
        var identity = Identity(claimed: user.userID, username: user.username)
        identity.isVerified = isVerified
        identity.isUsernameVerified = isUsernameVerified
        identity.expiresAt = tokenExpiresAt
        identity.set(profile)
        return identity
    }
}
