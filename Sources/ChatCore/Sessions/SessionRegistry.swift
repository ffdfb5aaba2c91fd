import ChatDomain
import ChatProtocol
import Identity
import Telemetry
import Crypto
import JSON

/// One shard's sessions: which there are, the rooms they receive, the presence they watch.
package final class SessionRegistry {
    package let context: ShardContext
    /// For what clients send.
    package let parser = JSONParser()
    let localRooms = LocalRooms()
    private(set) var trail = SentTrail()
    private(set) lazy var watchers = PresenceWatchers(registry: self)
    private let departures: Departures
    private var table = SessionTable()

    package init(context: ShardContext) {
        self.context = context
        departures = Departures(context: context)
    }

    package var count: Int { table.count }
    package var all: [Session] { table.all }
    var slotCount: Int { table.slotCount }

    /// The sessions of at most `count` slots, from the one at `start` on.
    func slice(from start: Int, count: Int) -> [Session] { table.slice(from: start, count: count) }

    subscript(address: SessionAddress) -> Session? { table[address] }

    /// The sessions of a user that live on this shard.
    func sessions(of user: UserID) -> some Sequence<Session> {
        context.services.users.sessions(of: user).lazy
            .filter { [index = context.index] in $0.shard == index }
            .compactMap { self.table[$0] }
    }

    // MARK: Coming and going

    /// - Parameter recovered: the id of the session that the client takes up again; nil for a new one.
    package func open(
        channel: any SessionChannel, encoding: FrameEncoding, isRaw: Bool, handshake: Credentials,
        id recovered: SessionID? = nil
    ) -> Session {
        let address = table.reserve(shard: context.index)
        let services = context.services
        let id =
            recovered
            ?? SessionID("\(services.configuration.instance)-\(context.index)-\(SecureRandom.hex(bytes: 12))")
        let session = Session(
            registry: self, id: id, address: address, channel: channel, encoding: encoding, isRaw: isRaw,
            handshake: handshake)
        table.set(session)
        services.metrics.sessions.add()
        services.logger.debug(
            "session opened",
            ["session": id.value, "framing": isRaw ? encoding.isFlat ? "type" : "event" : "socket.io"])
        return session
    }

    func forget(_ session: Session) {
        for room in session.rooms {
            localRooms.remove(session, from: room)
            let leave = RoomCommand.leave(session.address, request: nil, isBroken: true)
            context.post(.room(room, leave), to: context.services.home(of: room))
        }
        if let user = session.identity?.userID {
            leave(session, user)
            // Behind what keeps the user's changes coming here.
            context.services.users.remove(session.address, of: user)
        }
        table.remove(session.address)
        context.services.metrics.sessions.subtract()
    }

    /// A session's connection is gone: its user stays in sight until the grace period is over.
    private func leave(_ session: Session, _ user: UserID) {
        watchers.forget(session)
        let services = context.services
        let directory = services.presence.directory
        let grace = session.presence.leavesAtOnce ? .zero : services.presence.settings.grace
        guard grace > .zero else { return directory.remove(session.id, of: user, at: context.now.wall) }
        departures.add(session.id, of: user, in: session.rooms)
    }

    /// Closes every session at a moment of its own, after telling all of them.
    package func drain(_ plan: DrainPlan) {
        let leaving = table.all
        for session in leaving {
            session.emit(
                "server_draining",
                EventJSON.object { out in
                    out.member("reconnectInMs", Int64.random(in: 0...plan.pause.wholeMilliseconds))
                })
        }
        for session in leaving {
            let delay = Duration.milliseconds(Int64.random(in: 0...plan.spread.wholeMilliseconds))
            context.loop.schedule(after: delay) { session.end(.restart, reason: "the server restarts") }
        }
    }

    /// Looks for sessions whose clients have been idle, again and again.
    package func watchIdleness() {
        guard let limit = context.services.presence.settings.awayAfter else { return }
        for session in table.all { session.presence.checkIdleness(after: limit) }
        context.loop.schedule(after: min(max(limit / 4, .milliseconds(100)), .seconds(15))) { [weak self] in
            self?.watchIdleness()
        }
    }

    // MARK: What rooms send

    func deliver(
        _ frames: EncodedFrames, _ numbers: ClosedRange<SequenceNumber>, in room: RoomID, takenAt time: Timestamp
    ) {
        trail.note(room, numbers)
        let metrics = context.services.metrics
        metrics.deliveries.add(localRooms.fanOut(frames, to: room, numbers: numbers))
        metrics.fanOut.observe(Int(context.now.wall.milliseconds - time.milliseconds) * 1000)
    }

    func announce(_ announcement: EncodedAnnouncement, in room: RoomID) {
        context.services.metrics.deliveries.add(localRooms.announce(announcement, in: room))
    }

    // MARK: What single sessions are sent

    /// A direct message; it cannot be repeated, so recovery begins behind it.
    func sendDirect(_ frames: EncodedFrames, to addresses: [SessionAddress]) {
        for address in addresses {
            guard let session = table[address] else { continue }
            session.recovery.restart(at: trail.count)
            session.deliver(frames, isDroppable: false)
        }
    }

    func notify(_ addresses: [SessionAddress], _ frames: EncodedFrames) {
        for address in addresses { table[address]?.deliver(frames, isDroppable: false) }
    }

    func end(_ id: SessionID, of user: UserID, _ ending: InstanceMessage.Ending) {
        guard let session = sessions(of: user).first(where: { $0.id == id }) else { return }
        switch ending {
        case .replaced:
            close(session.address, .replaced, ChatError(.replaced, "replaced by a newer connection"))
        case .loggedOut: session.presence.logOut()
        }
    }

    func close(_ address: SessionAddress, _ code: CloseCode, _ error: ChatError) {
        guard let session = table[address] else { return }
        session.refuse(error, event: nil, tag: nil)
        session.end(code, reason: error.message)
    }

    // MARK: Presence

    func received(_ edges: [PresenceEdge]) {
        watchers.note(edges)
        for edge in edges where edge.comesOrGoes { refreshVisibility(of: edge.presence.user.userID) }
    }

    /// Has the rooms of a user's sessions here look again whether others may know of the user.
    func refreshVisibility(of user: UserID) {
        var rooms = departures.rooms(of: user)
        for session in sessions(of: user) { rooms.formUnion(session.rooms) }
        for room in rooms { context.post(.room(room, .visibility(user)), to: context.services.home(of: room)) }
    }

    /// Has all rooms of a session's user follow a status that was set: those of this shard before anything is answered.
    func followStatus(of session: Session) {
        guard let user = session.identity?.userID else { return }
        refreshVisibility(of: user)
        let others = Set(context.services.users.sessions(of: user).map(\.shard)).subtracting([context.index])
        for other in others { context.services.mailbox(other).post(.visibility(user)) }
    }
}
