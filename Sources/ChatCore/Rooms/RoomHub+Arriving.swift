import ChatDomain

/// The first to come into a room on this instance waits a moment for the other instances to say who is there, so that what
/// they are shown is whole.
extension RoomHub {
    /// How long the others have to answer.
    private static let rosterTimeout: Duration = .milliseconds(200)

    /// Whether the join waits; otherwise the room can be shown.
    func awaitsOthers(_ join: HomeRoom.PendingJoin, in room: HomeRoom) -> Bool {
        guard services.bus != nil, !room.isSubscribed || !room.arriving.isEmpty else { return false }
        room.arriving.append(join)
        guard room.arriving.count == 1 else { return true }
        room.answered = []
        room.arrivals += 1
        context.loop.schedule(after: Self.rosterTimeout) { [unowned self, arrival = room.arrivals] in
            if room.arrivals == arrival { admitArrivals(to: room) }
        }
        return true
    }

    /// The others were asked; how many will answer?
    func countOthers(in room: HomeRoom) {
        guard !room.arriving.isEmpty, let bus = services.bus else { return }
        let id = room.id
        let arrival = room.arrivals
        let directory = services.presence.directory
        context.loop.run({ () async -> Int? in
            async let others = directory.others()
            guard let listeners = await bus.listeners(of: id) else { return nil }
            // Those of other deployments listen to the same channel and will not answer.
            return min(listeners - 1, await others?.count ?? .max)
        }) { [unowned self] expected in
            guard let expected, room.arrivals == arrival else { return }
            room.answersExpected = expected
            admitArrivalsWhenAllAnswered(to: room)
        }
    }

    func noteRoster(of instance: InstanceID, in room: HomeRoom) {
        guard !room.arriving.isEmpty else { return }
        room.answered.insert(instance)
        admitArrivalsWhenAllAnswered(to: room)
    }

    func admitArrivalsWhenAllAnswered(to room: HomeRoom) {
        guard !room.arriving.isEmpty, !room.isRefreshing, let expected = room.answersExpected,
            room.answered.count >= expected
        else { return }
        admitArrivals(to: room)
    }

    private func admitArrivals(to room: HomeRoom) {
        let arriving = room.arriving
        room.arriving = []
        room.answersExpected = nil
        for join in arriving { enter(join, room) }
        followUp(room)
    }
}
