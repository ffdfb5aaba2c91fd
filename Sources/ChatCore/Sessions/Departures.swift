import ChatDomain
import Identity

/// The sessions of one shard whose connections broke, for their grace periods. Those of a short while share what is to be done:
/// what other instances are told, and the end of the grace period.
final class Departures {
    /// How long the first of them waits for others. The grace period begins behind that.
    static let gatheringInterval: Duration = .milliseconds(50)

    private struct Departure {
        let session: SessionID
        let user: UserID
        let ticket: UInt64
    }

    private let context: ShardContext
    private var retained = RetainedRooms()
    private var gathered: [Departure] = []

    init(context: ShardContext) { self.context = context }

    private var services: Services { context.services }

    /// Rooms in which a user still counts as present.
    func rooms(of user: UserID) -> Set<RoomID> { retained.rooms(of: user) }

    /// - Parameter rooms: those of the session.
    func add(_ session: SessionID, of user: UserID, in rooms: SmallSet<RoomID>) {
        if !rooms.isEmpty {
            services.presence.interest.begin([user], on: context.index, as: .retained)
            retained.add(rooms, by: session, of: user)
        }
        services.presence.directory.update(session, of: user, .disconnected, at: context.now.wall)
        if gathered.isEmpty {
            context.loop.schedule(after: Self.gatheringInterval) { [weak self] in self?.tell() }
        }
        gathered.append(Departure(session: session, user: user, ticket: services.gracePeriods.begin(session)))
    }

    private func tell() {
        services.presence.directory.sendDepartures()
        let together = gathered
        gathered = []
        context.loop.schedule(after: services.presence.settings.grace) { [weak self] in self?.end(together) }
    }

    private func end(_ departures: [Departure]) {
        for departure in departures where retained.remove(departure.session, of: departure.user) {
            services.presence.interest.end([departure.user], on: context.index, as: .retained)
        }
        let (directory, now) = (services.presence.directory, context.now.wall)
        services.gracePeriods.end(departures.map { ($0.session, $0.ticket) }) { over in
            directory.remove(over.map { (departures[$0].session, departures[$0].user) }, at: now)
        }
    }
}
