import ChatDomain
import ChatProtocol

/// Looks through a shard's sessions for a question, a slice in each turn, so that its clients are served in between.
final class SessionSurvey {
    private static let slotsPerTurn = 1000

    private let registry: SessionRegistry
    private let query: SessionQuery
    private let done: @Sendable (SessionPage) -> Void
    private var found: SessionPage
    private var place = 0

    init(_ query: SessionQuery, in registry: SessionRegistry, done: @escaping @Sendable (SessionPage) -> Void) {
        self.registry = registry
        self.query = query
        self.done = done
        found = SessionPage(query)
    }

    func proceed() {
        let slice = registry.slice(from: place, count: Self.slotsPerTurn)
        for session in slice where query.matches(session.user) {
            if let room = query.room, !session.rooms.contains(room) { continue }
            found.add(session.summary)
        }
        place += Self.slotsPerTurn
        guard place < registry.slotCount else { return done(found) }
        registry.context.loop.schedule(after: .milliseconds(1)) { self.proceed() }
    }
}

/// The same for a shard's rooms with sessions.
final class RoomSurvey {
    private static let roomsPerTurn = 2000

    private let registry: SessionRegistry
    private let query: RoomQuery
    private let done: @Sendable (RoomPage) -> Void
    private var found: RoomPage
    private var rest: ArraySlice<RoomID>

    init(_ query: RoomQuery, in registry: SessionRegistry, done: @escaping @Sendable (RoomPage) -> Void) {
        self.registry = registry
        self.query = query
        self.done = done
        found = RoomPage(query)
        rest = registry.localRooms.ids[...]
    }

    func proceed() {
        let instance = registry.context.services.configuration.instance
        for room in rest.prefix(Self.roomsPerTurn) where query.filter?.matches(room.value) ?? true {
            // All may have left since the turn before.
            let sessions = registry.localRooms.sessionCount(in: room)
            guard sessions > 0 else { continue }
            found.add(
                RoomSummary(
                    id: room, sessions: sessions, lastSequence: registry.localRooms.newest(in: room),
                    instances: [instance]))
        }
        rest = rest.dropFirst(Self.roomsPerTurn)
        guard !rest.isEmpty else { return done(found) }
        registry.context.loop.schedule(after: .milliseconds(1)) { self.proceed() }
    }
}

extension Session {
    /// The session for operators.
    fileprivate var summary: SessionSummary {
        let origin = channel.origin
        return SessionSummary(
            id: id, instance: context.services.configuration.instance, user: user, address: origin.address,
            framing: isRaw ? encoding.isFlat ? "type" : "event" : "socket.io", userAgent: origin.userAgent,
            connectedAt: connectedAt, lastActiveAt: presence.lastActiveAt.wall,
            queuedBytes: channel.untakenBytes, rooms: Array(rooms.prefix(SessionSummary.maximumRooms)),
            roomCount: rooms.count)
    }
}
